#!/usr/bin/env bash
# Builds and pushes the image of every service in RELEASES, and writes their digests: {"cart": {"image": "sha256:..."}}.
set -euo pipefail
docker login "${REGISTRY%%/*}" --username "$REGISTRY_USERNAME" --password-stdin <<< "$REGISTRY_PASSWORD"
digests='{}'
while read -r app commit; do
  image=$REGISTRY/$app
  docker buildx build --push --tag "$image:build-$commit" --metadata-file built.json "services/$app"
  digests=$(jq --compact-output --arg app "$app" --arg image "$image" --slurpfile built built.json \
    '.[$app][$image] = $built[0]["containerimage.digest"]' <<< "$digests")
done < <(jq --raw-output '.apps[] | "\(.app) \(.commit)"' <<< "$RELEASES")
echo "digests=$digests" >> "$GITHUB_OUTPUT"

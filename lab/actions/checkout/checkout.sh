#!/usr/bin/env bash
# One commit of a repository into the workspace, like actions/checkout; the token is never written to disk.
set -euo pipefail
case $GITHUB_WORKSPACE in
  */hostexecutor*) ;;
  *) echo "::error::$GITHUB_WORKSPACE is no workspace of act" && exit 1 ;;
esac
target=$GITHUB_WORKSPACE/$FOLDER
rm -rf "${target:?}"/* "${target:?}"/.[!.]*
mkdir -p "$target"
cd "$target"
git init --quiet .
git remote add origin "$GITHUB_SERVER_URL/$REPOSITORY.git"
export GIT_TERMINAL_PROMPT=0 GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0="http.$GITHUB_SERVER_URL/.extraheader"
GIT_CONFIG_VALUE_0="AUTHORIZATION: basic $(printf 'x-access-token:%s' "$TOKEN" | base64 --wrap=0)"
export GIT_CONFIG_VALUE_0
depth=()
[ "$DEPTH" = 0 ] || depth=(--depth="$DEPTH")
git fetch --quiet --no-tags "${depth[@]}" origin "$REF"
git checkout --quiet --detach FETCH_HEAD

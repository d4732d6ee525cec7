"""Drives stagegate for the cases beside it. Run a case from a checkout of stagegate:

    python3 lab/toolbox.py run python tests/cases/bugs/03-revert-squash/case.py

Exit 0: the right behaviour is there. Exit 1: the fault is there (the last line says what was seen).
STAGEGATE names another checkout than the current folder.
"""
import contextlib, io, json, os, subprocess, sys, tempfile, threading, time, http.server, urllib.parse
from pathlib import Path
ROOT = Path(os.environ.get("STAGEGATE", os.getcwd())).resolve()
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]
os.environ.update(STAGEGATE_WRITE_PACE="0", STAGEGATE_RETRY_PACE="0.01")
TMP = Path(tempfile.mkdtemp(prefix="bug-case-"))

def verdict(good, seen, right):
    print(("RIGHT: " if good else "FAULT: ") + f"{seen}" + ("" if good else f"  -- should be: {right}"))
    sys.exit(0 if good else 1)

# --- version-bump on a real git repository and the forge ---------------------------------------------
@contextlib.contextmanager
def world(files=None, tag="v1.0.0", depth="--depth=1"):
    from lab.forge import Forge
    from tests.actions import test_version_bump as T
    class W(T.World):
        def git(self, *a, cwd=None):
            if a and a[0] == "clone": a = tuple(x for x in a if x != "--depth=1" or depth) 
            return super().git(*a, cwd=cwd)
    root = Path(tempfile.mkdtemp(dir=TMP))
    with Forge(root / "forge") as forge:
        w = W.__new__(W); w.forge, w.root, w.runs = forge, root, 0
        w.repo = forge.repository(T.REPOSITORY); forge.collaborator(T.REPOSITORY, "octo-dev", "admin")
        base = {k: v for k, v in {**T.FILES, **(files or {})}.items() if v is not None}
        w.sha = w.repo.seed(base, "feat: open")
        if tag: w.git("tag", "--annotate", "-m", "shop 1.0.0", tag, w.sha)
        yield w

def commit(w, message, files=None, branch="main", parents=None, when=None):
    """A commit with exactly this message (bytes or text); `files`: path -> text, bytes or None (deleted)."""
    env = {**os.environ, "GIT_INDEX_FILE": str(w.root / "idx")}
    for who in ("AUTHOR", "COMMITTER"):
        env[f"GIT_{who}_NAME"] = "octo-dev"; env[f"GIT_{who}_EMAIL"] = "octo-dev@example.com"
        if when: env[f"GIT_{who}_DATE"] = f"@{int(when)} +0000"
    run = lambda *a, inp=None: subprocess.run(["git", *a], cwd=w.repo.path, env=env, check=True, capture_output=True, input=inp).stdout.strip().decode()
    head = w.git("rev-parse", branch); run("read-tree", head)
    for path, data in (files or {}).items():
        if data is None: run("update-index", "--index-info", inp=f"0 {'0' * 40}\t{path}\n".encode()); continue
        blob = run("hash-object", "-w", "--stdin", inp=data if isinstance(data, bytes) else data.encode())
        run("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}")
    tree = run("write-tree"); ps = [x for p in (parents or [head]) for x in ("-p", p)]
    sha = run("commit-tree", tree, *ps, inp=message if isinstance(message, bytes) else message.encode())
    run("update-ref", f"refs/heads/{branch}", sha); return sha

def bump(w, *flags, run="77"):
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        code, told, _ = w.bump(*flags, run=run)
    w.log = out.getvalue(); return code, told

def seen(told): return {k: told.get(k, "") for k in ("reason", "version", "previous")}

# --- a shop with pins, releases 1.0.0 and 1.1.0, evidence on demand ------------------------------------
@contextlib.contextmanager
def shop(versions=("1.0.0", "1.1.0")):
    from lab.registry import Registry as Lab
    from tests.promotion.shop_world import shop as make
    folder = Path(tempfile.mkdtemp(dir=TMP))
    (folder / "r").mkdir(); (folder / "s").mkdir()
    with Lab(folder / "r") as lab, make(folder / "s", lab.host, versions=versions) as made: yield made

def promote(w, **inputs):
    from stagegate.actions import promote_pr
    from stagegate.runner.boundary import entrypoint
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = entrypoint("promote-pr", promote_pr.PromotePr, promote_pr.main, argv=[], environ=w.environ(**inputs))
    w.log = out.getvalue(); outputs = w.outputs(); return code, outputs

def guard_state(w, edits):
    from tests.actions.test_pin_guard import guard, propose, status
    pull = propose(w, edits); out = io.StringIO()
    with contextlib.redirect_stdout(out): guard(w, pull.number)
    return status(w, pull.head_sha)

SET = """\
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: shop}
spec:
  goTemplate: true
  generators:
    - list:
        elements:
          - {env: prod, version: 1.0.0}
  template:
    metadata: {name: 'shop-{{.env}}'}
    spec:
      destination: {namespace: shop}
      source:
        repoURL: HOST/acme/charts
        chart: shop
        targetRevision: '{{.version}}'
        helm: {releaseName: shop, parameters: [{name: global.imageTag, value: 'v{{.version}}'}]}
"""

# --- a registry with scripted responses ---------------------------------------------------------------
class Fake:
    def __init__(self, tls=None):
        from stagegate.model import digest_of
        self.blobs, self.manifests, self.log, self.quirk = {}, {}, [], lambda h, m, p, q: False
        fake = self
        class H(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            def log_message(self, *a): pass
            def out(self, code, body=b"", heads=()):
                self.send_response(code)
                for k, v in heads: self.send_header(k, v)
                self.send_header("Content-Length", str(len(body))); self.end_headers()
                if self.command != "HEAD": self.wfile.write(body)
                return True
            def err(self, code, word, said="x", heads=()):
                return self.out(code, json.dumps({"errors": [{"code": word, "message": said}]}).encode(), [("Content-Type", "application/json"), *heads])
            def go(self):
                u = urllib.parse.urlsplit(self.path); q = dict(urllib.parse.parse_qsl(u.query)); p = u.path
                n = int(self.headers.get("Content-Length") or 0); self.body = self.rfile.read(n) if n else b""
                fake.log.append((self.command, self.path, self.headers.get("Authorization", "")))
                if fake.quirk(self, self.command, p, q): return
                if "/blobs/uploads/" in p and self.command == "POST": return self.out(202, b"", [("Location", p + "u1?state=a")])
                if "/blobs/uploads/" in p and self.command == "PUT":
                    fake.blobs[q["digest"]] = self.body; return self.out(201)
                if "/blobs/" in p:
                    d = p.rsplit("/", 1)[1]; return self.out(200, fake.blobs[d]) if d in fake.blobs else self.err(404, "BLOB_UNKNOWN")
                if "/manifests/" in p:
                    ref = p.rsplit("/", 1)[1]
                    if self.command == "PUT":
                        d = digest_of(self.body); fake.manifests[ref] = fake.manifests[d] = (self.headers["Content-Type"], self.body); return self.out(201, b"", [("Docker-Content-Digest", d)])
                    if ref in fake.manifests:
                        t, b = fake.manifests[ref]; return self.out(200, b, [("Content-Type", t), ("Docker-Content-Digest", digest_of(b))])
                    return self.err(404, "MANIFEST_UNKNOWN")
                if p.endswith("/tags/list"): return self.out(200, json.dumps({"tags": [k for k in fake.manifests if ":" not in k]}).encode())
                return self.err(404, "NAME_UNKNOWN")
            do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = go
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), H); self.server.daemon_threads = True
        self.port = self.server.server_address[1]; self.host = f"127.0.0.1:{self.port}"
        if tls:
            import ssl
            c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); c.load_cert_chain(tls); self.server.socket = c.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

def bearer(fake, challenges, good=lambda path: True):
    """Wants a Bearer token; `challenges` are its WWW-Authenticate headers."""
    def quirk(h, method, path, q):
        if path == "/token": return h.out(200, json.dumps({"token": "good" if good(h.path) else "weak"}).encode())
        if h.headers.get("Authorization") != "Bearer good": return h.err(401, "UNAUTHORIZED", heads=[("WWW-Authenticate", c) for c in challenges])
        return False
    fake.quirk = quirk

def push(host):
    """Push a small chart as helm-publish does; "pushed" or the Stop's reason and sentences."""
    from stagegate.clients.registry import Manifest, Registry
    from stagegate.errors import Stop
    from stagegate.model import digest_of, to_json
    cfg, lay = b"{}", b"chart"
    raw = to_json({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "application/vnd.cncf.helm.config.v1+json", "digest": digest_of(cfg), "size": 2},
        "layers": [{"mediaType": "application/vnd.cncf.helm.chart.content.v1.tar+gzip", "digest": digest_of(lay), "size": 5}]})
    name = f"{host}/acme/charts/shop"
    store = Registry(frozenset({host}), username="u", password="p", timeout=(3, 5), writes=frozenset({name}))
    try:
        store.push(f"{name}:1.0.0", Manifest(media_type="application/vnd.oci.image.manifest.v1+json", raw=raw), (cfg, lay)); return "pushed"
    except Stop as stop: return f"{stop.reason}: {stop.what} {stop.why} {stop.next}"

def plain_listener_case(make_quirk, act):
    """A TLS registry that names http:// addresses of itself; returns the requests that arrived without TLS."""
    import socket, urllib3.connection as uc, urllib3.connectionpool as cp
    d = tempfile.mkdtemp(dir=TMP)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", d + "/k", "-out", d + "/c", "-days", "2", "-subj", "/CN=registry.test", "-addext", "subjectAltName=DNS:registry.test"], check=True, capture_output=True)
    Path(d + "/pem").write_text(Path(d + "/k").read_text() + Path(d + "/c").read_text())
    os.environ.update(REQUESTS_CA_BUNDLE=d + "/c", NO_PROXY="*")
    real = socket.getaddrinfo
    socket.getaddrinfo = lambda h, *a, **k: real("127.0.0.1" if h == "registry.test" else h, *a, **k)
    fake = Fake(tls=d + "/pem"); host = f"registry.test:{fake.port}"; fake.quirk = make_quirk(host)
    listener = socket.socket(); listener.bind(("127.0.0.1", 0)); listener.listen(5); port = listener.getsockname()[1]; got = []
    def serve():
        while True:
            c, _ = listener.accept(); c.settimeout(2)
            try: got.append(c.recv(4000).decode("latin-1"))
            except OSError: pass
            c.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"); c.close()
    threading.Thread(target=serve, daemon=True).start()
    class Plain(uc.HTTPConnection):  # plain http to the registry's address arrives at the listener
        def _new_conn(self): return socket.create_connection(("127.0.0.1", port))
    cp.HTTPConnectionPool.ConnectionCls = Plain
    return act(host), got

# --- the gate's judge ------------------------------------------------------------------------------------
def judge(document, times=40, settle=5.0):
    from stagegate.argocd_app.status import read
    from stagegate.gate.plan import History, Waiting, judge as look, remember
    from tests.gate.argo_documents import expected
    # As a team that suspends on purpose has it: `gate.suspended: allow`.
    history, judged, release = History(), None, expected(accepts_suspended=True)
    for second in range(times):
        app = read(document); judged = look(app, release, history, float(second)); history = remember(history, app, release, float(second), refreshed=True)
        if not isinstance(judged, Waiting): break
    return type(judged).__name__, judged.reason, judged.detail

"""Submissions that harm the process they run in, as the text of their files."""

HEADER = """
import ctypes, gc, json, os, pathlib, random, resource, shutil, signal, subprocess, sys
import tempfile, time
import jax, jax.numpy as jnp, numpy as np, optax
from algoperf_lite import OptaxSubmission

def sleep_for_ever():
    while True:
        time.sleep(3600)
"""
FILE = """{header}
{before}
def f(hp, task):
    {fate}
    return optax.sgd(hp['lr'])

class Fated(OptaxSubmission):
    def on_eval(self, history, hp, task):
        if len(history) == 2:
            {on_eval}

submission = Fated(f, default={{'lr': 0.05}})
"""
WRONG_SHAPES = "return optax.stateless(lambda g, p: jax.tree.map(lambda x: jnp.ones((3, 5)), g))"
ALLOCATE = """
def allocate():
    blocks = []
    while len(blocks) < 200:
        blocks.append(np.ones(2**23))
        time.sleep(0.01)
"""
DAEMON = """
def daemon(seconds):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execve("/bin/sleep", ["sleep", seconds], {})
        os._exit(0)
    os.wait()
"""
STUBBORN = """
def stay():
    for number in set(signal.valid_signals()) - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD}:
        try:
            signal.signal(number, lambda *_: None)
        except OSError:
            pass
    while True:
        try:
            sleep_for_ever()
        except BaseException:
            pass
"""
GARBAGE = """
def write_everywhere():
    for number in range(3, 300):
        try:
            os.write(number, b'{"result": 1}\\n')
        except OSError:
            pass
    time.sleep(3600)
"""
CLOSE = """
def close_streams():
    sys.stdout.close()
    for number in (0, 1, 2):
        try:
            os.close(number)
        except OSError:
            pass
"""
LOOK = """
def look():
    mask = os.umask(0o22)
    os.umask(mask)
    seen = {
        "pid": os.getpid(),
        "variable": os.environ.get("LEAKED"),
        "own files": os.listdir("."),
        "path": sys.path.index("/nowhere") == 0 if "/nowhere" in sys.path else False,
        "limit": resource.getrlimit(resource.RLIMIT_NOFILE),
        "alarm": signal.getitimer(signal.ITIMER_REAL),
        "handler": str(signal.getsignal(signal.SIGTERM)),
        "umask": mask,
        "recursion": sys.getrecursionlimit(),
        "switch": sys.getswitchinterval(),
        "gc": gc.isenabled(),
        "random": np.random.random(),
        "jax": jax.config.jax_traceback_filtering,
        "stdout": sys.stdout.closed,
    }
    with open(os.path.splitext(__file__)[0] + ".json", "w") as file:
        json.dump(seen, file)
"""
DELETE = """
def delete_directory():
    here = pathlib.Path.cwd()
    assert "algoperf_lite-worker-" in str(here), here  # whatever breaks, nobody's files go
    shutil.rmtree(here)
"""

LEAK = """
def leak():
    os.environ["LEAKED"] = "1"
    os.chdir(tempfile.mkdtemp())  # never to what another fault, deleting it, must not delete
    sys.path.insert(0, "/nowhere")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft - 1, hard))
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(3600)
    os.umask(0o27)
    sys.setrecursionlimit(2345)
    sys.setswitchinterval(0.0123)
    gc.disable()
    random.seed(7), np.random.seed(7)
"""


def text(before="", fate="pass", on_eval="pass"):
    """The file of a submission that does something when traced or at its second evaluation."""
    return FILE.format(header=HEADER, before=before, fate=fate, on_eval=on_eval)

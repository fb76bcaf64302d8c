"""Builds the killers once, and tries one mutant: compiles its file, links it with all the rest, and lets the killers look."""

import os
import re
import resource
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
COMPILER = os.environ.get('CC', 'gcc')
FLAGS = ['-std=c17', '-D_GNU_SOURCE', '-w', f'-I{ROOT}/include', f'-I{ROOT}/src', f'-I{ROOT}/tests']
PACKAGES = ['yaml-0.1', 'jansson', 'uuid', 'cmocka']
CORE = 'src/core'
# What is right even where it is wrong: out of bounds, beyond 64 bits. The tests run under the same sanitizer elsewhere.
STRICT = ['-O0', '-fsanitize=undefined,bounds-strict', '-fsanitize-undefined-trap-on-error']
SUPPORT = ['src/base/*.c', 'src/codec/ident.c']
SIMULATE = ['src/cli/simulate*.c', 'src/cli/scenario*.c', 'src/cli/options.c']
# The quickest first; unit tests that are not named here come between. What is slow looks only when no other has found anything.
FIRST, SLOW = ['scenarios', 'table', 'pack'], ['replay', 'random', 'lives', 'zone', 'explore']
# What a test cannot see it need not look at.
SEES = {'zone': {'zone.c', 'text.c'}, 'replay': {'replay.c', 'event_pack.c', 'packing.c'}}
# Files that nothing else comes to, or looks at as closely.
SEEN_BY = {
    'replay.c': {'replay_compare', 'replay'}, 'event_pack.c': {'event_pack', 'replay'},
    'zone.c': {'date', 'footer', 'scenarios', 'zone', 'zone_file'},
}
OPINION = 'tests/opinion/*.c'  # what histories and exploration ask
# The random histories, without their way through Avro.
LIVES = [f'tests/random/{name}.c' for name in ('draw', 'history', 'life', 'lives', 'retell', 'shrink', 'no_wire')] + ['src/cli/scenario_value.c', OPINION]
ENVIRONMENT = {'BOOKING_SOURCE_DIR': str(ROOT), 'CMOCKA_MESSAGE_OUTPUT': 'STDOUT'}
PLAIN = {**os.environ, 'LC_ALL': 'C'}  # what the compiler says is read
CPU_SECONDS = 20  # a killer that needs more than this does not come to an end: the mutant is killed
WALL_SECONDS = 180


class Verdict(NamedTuple):
    state: str       # killed, survived, invalid, same
    by: str = ''     # which killer
    timed_out: bool = False


class Broken(Exception):
    """The killers cannot be built, or fail on the code as it is."""


def call(arguments: list[str], what: str) -> None:
    done = subprocess.run(arguments, capture_output=True, text=True)
    if done.returncode != 0:
        raise Broken(f'{what} failed: {" ".join(arguments)}\n{done.stderr[-3000:]}')


def is_made(done: subprocess.CompletedProcess, why_not: str) -> bool:
    """False: what was to be made is wrong, and that is why. Where there is another reason (no memory, no room), nothing is known."""
    if done.returncode != 0 and not re.search(why_not, done.stderr, re.MULTILINE):
        raise Broken(f'{" ".join(map(str, done.args[:1]))} fails, but not for what was changed:\n{done.stderr[-3000:]}')
    return done.returncode == 0


def limit() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 5))  # SIGXCPU tells who came to this end
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 26, 1 << 26))


class Killers:
    """A folder with the objects of everything as it is, and with one folder per worker for what is changed."""

    def __init__(self, only: list[str] | None = None):
        self.folder = Path(tempfile.mkdtemp(prefix='booking-mutate-'))
        self.only = only
        done = subprocess.run(['pkg-config', '--cflags', '--libs', *PACKAGES], capture_output=True, text=True)
        if done.returncode != 0:
            raise Broken(done.stderr)
        self.libraries = done.stdout.split()
        self.quick, self.slow = self._names()
        self.names = self.quick + self.slow
        self.originals: dict[str, bytes] = {}

    def close(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def _names(self) -> tuple[list[str], list[str]]:
        """The quick ones and the slow ones, in their order."""
        found = sorted(path.name.removesuffix('_test.c') for path in (ROOT / 'tests/core').glob('*_test.c'))
        found += ['scenarios', 'matrix', 'lives', 'explore']
        wanted = [name for name in found if self.only is None or name in self.only]
        others = [name for name in wanted if name not in FIRST + SLOW]
        return [name for name in FIRST if name in wanted] + others, [name for name in SLOW if name in wanted]

    def _sources(self, name: str) -> list[Path]:
        if name == 'scenarios':
            return self._all(SIMULATE)
        if name == 'matrix':
            return sorted((ROOT / 'tests/evidence').glob('*.c'))
        if name == 'lives':
            return self._all(LIVES)
        if name == 'explore':
            return self._all(['tests/explore/*.c', OPINION])
        helpers = [path for path in sorted((ROOT / 'tests/core').glob('*.c')) if not path.name.endswith('_test.c')]
        return [ROOT / f'tests/core/{name}_test.c', *helpers]

    def build(self) -> None:
        """Every object once. What is never changed becomes one object, so that a link is quick."""
        parts = [self._part(name) for name in self.names]
        listed = ' '.join(f'X({name})' for name in self.names)
        parts += [self._compile(path, f'base.{path.stem}') for path in self._all(SUPPORT)]
        parts.append(self._compile(ROOT / 'tests/mutate/killer.c', 'killer', f'-DKILLERS(X)={listed}'))
        self.fixed = self._join('fixed', parts)
        self.core = {path.name: self._compile(path, f'core.{path.stem}') for path in self._all([f'{CORE}/*.c'])}

    def _all(self, patterns: list[str]) -> list[Path]:
        return [path for pattern in patterns for path in sorted(ROOT.glob(pattern))]

    def _join(self, name: str, objects: list[Path]) -> Path:
        out = self.folder / f'{name}.o'
        call([COMPILER, '-r', '-nostdlib', *map(str, objects), '-o', str(out)], f'the link of {name}')
        return out

    def _part(self, name: str) -> Path:
        """One killer in one object, of which only NAME_main can be seen: the names in it are its own affair."""
        entry = f'{name}_main'
        renamed = ['--redefine-sym', f'command_simulate={entry}'] if name == 'scenarios' else []
        out = self._join(f'part.{name}', [self._compile(path, f'{name}.{path.stem}', f'-Dmain={entry}') for path in self._sources(name)])
        call(['objcopy', *renamed, f'--keep-global-symbol={entry}', str(out)], f'hiding what {name} is made of')
        return out

    def _compile(self, path: Path, name: str, *options: str) -> Path:
        out = self.folder / f'{name}.o'
        call([COMPILER, *FLAGS, '-O1', *self.libraries, *options, '-c', str(path), '-o', str(out)], path.name)
        return out

    def _link(self, replaced: str, by: Path, out: Path) -> bool:
        objects = [str(by if name == replaced else path) for name, path in self.core.items()]
        done = subprocess.run([COMPILER, str(self.fixed), *objects, '-o', str(out), *self.libraries, '-lpthread'], env=PLAIN, capture_output=True, text=True)
        return is_made(done, 'undefined reference|multiple definition')

    def check(self) -> None:
        """The code as it is passes them all, or no verdict means anything."""
        name = next(iter(self.core))
        out = self.folder / 'unchanged'
        if not self._link(name, self.core[name], out):
            raise Broken('the killers cannot be linked')
        for names in (self.quick, self.slow):
            verdict, said = self._run(out, self.folder, names)
            if verdict.state != 'survived':
                raise Broken(f'the code as it is fails already ({verdict.by}):\n{said[-3000:]}')

    def try_mutant(self, path: str, text: str, worker: int) -> Verdict:
        folder = self.folder / f'worker{worker}'
        folder.mkdir(exist_ok=True)
        changed, name = folder / Path(path).name, Path(path).name
        changed.write_text(text)
        if not self._compiles(changed, folder / 'changed.o', *STRICT) or not self._link(name, folder / 'changed.o', folder / 'killer'):
            return Verdict('invalid')
        quick = [test for test in self.quick if test in SEEN_BY.get(name, {test})]
        verdict, _ = self._run(folder / 'killer', folder, quick)
        if verdict.state == 'survived' and self._is_same_code(path, changed, folder):
            return Verdict('same')
        slow = [test for test in self.slow if name in SEES.get(test, {name}) and test in SEEN_BY.get(name, {test})]
        if verdict.state == 'survived' and slow:
            verdict, _ = self._run(folder / 'killer', folder, slow)
        return verdict

    def _compiles(self, path: Path, out: Path, *options: str) -> bool:
        where = f'-ffile-prefix-map={path.parent}/='
        done = subprocess.run([COMPILER, *FLAGS, *options, where, '-c', path.name, '-o', str(out)], cwd=path.parent, env=PLAIN, capture_output=True, text=True)
        return is_made(done, rf'^{re.escape(path.name)}:\d+:.* error: ')

    def _is_same_code(self, path: str, changed: Path, folder: Path) -> bool:
        """The compiler makes the same of both: nothing was changed that could be seen."""
        if path not in self.originals:
            original = folder / 'original' / changed.name
            original.parent.mkdir(exist_ok=True)
            original.write_text((ROOT / path).read_text())
            if not self._compiles(original, folder / 'original.o', '-O2'):
                return False
            self.originals[path] = (folder / 'original.o').read_bytes()
        return self._compiles(changed, folder / 'same.o', '-O2') and (folder / 'same.o').read_bytes() == self.originals[path]

    def _run(self, program: Path, folder: Path, names: list[str]) -> tuple[Verdict, str]:
        """Who is stopped from without, or waits for a machine that does much else, has said nothing yet: it is asked once more."""
        verdict, said, is_stopped = self._run_once(program, folder, names)
        if is_stopped:
            verdict, said, _ = self._run_once(program, folder, names)
        return verdict, said

    def _run_once(self, program: Path, folder: Path, names: list[str]) -> tuple[Verdict, str, bool]:
        try:
            done = subprocess.run([str(program), *names], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                  env={**os.environ, **ENVIRONMENT}, cwd=folder, preexec_fn=limit, timeout=WALL_SECONDS)
            said, status = done.stderr.decode(errors='replace'), done.returncode
        except subprocess.TimeoutExpired as timeout:
            said, status = (timeout.stderr or b'').decode(errors='replace'), -signal.SIGKILL
        running = re.findall(r'^running (\w+)$', said, re.MULTILINE)
        if status == 0:
            return Verdict('survived'), said, False
        is_stopped = status == -signal.SIGKILL
        verdict = Verdict('killed', running[-1] if running else 'start', is_stopped or status == -signal.SIGXCPU)
        return verdict, said, is_stopped

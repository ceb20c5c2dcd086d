"""Compares what two builds of `esgd` make of the same settings: every network, optimizer state, fitness and
draw must be the same to the bit, in runs from start to end, and in runs that one build began, was cut in
the middle of, and the other goes on with.

    python3 same_results.py BEFORE AFTER [--data FOLDER] [--only CASE…]

FOLDER holds the official files of Fashion-MNIST; without it the case that needs them is left out, visibly.
Fields that were renamed are in RENAMED; what a run cannot repeat, such as seconds, is in VOLATILE.
"""
import argparse
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

# The names of fields in files, before → after.
RENAMED = {
    'ledger': 'population',
    'yardstick': 'objective',
    'tally': 'effort',
    'seat': 'position',
    'record': 'bound',
    'contrast': 'control',
    'founders': 'warm',
}
# Fields of a population that were added since.
ADDED = {'mu', 'memory', 'ended', 'numbers'}
# Times, versions, the account of each step that `verify` reads in any form, checksums of files that hold such, and the number of checkpoints, which depends on time.
VOLATILE = {'seconds', 'sha256', 'checksum', 'versions', 'esgd', 'version', 'checkpoints', 'metrics', 'threads',
            'beside', 'config', 'trace', 'files', 'log'}

SMALL = ['generations=40', 'mu=8', 'm=5', 'lambda=12', 'epochs=2', 'run.contrast=false']
CASES = {
    'default': ['generations=8', 'run.contrast=false'],
    'paper': ['preset=paper', 'generations=4', 'run.contrast=false'],
    'back-off': SMALL + ['guarantee.way=back-off', 'recipes.policy=redraw', 'fine_tune.epochs=2'],
    'anchor': SMALL + ['guarantee.way=back-off', 'guarantee.p_backoff=0.6', 'guarantee.anchor=true'],
    'archive': SMALL + ['guarantee.way=archive', 'recipes.policy=keep', 'rho=3'],
    'explore': SMALL + ['recipes.policy=explore', 'rho=1', 'mutation.sigma=0',
                        'selection={truncation={best=0.25}}'],
    'inherit': SMALL + ['recipes.policy=inherit', 'evolution_steps=2', 'fine_tune.best=3'],
    'halving': SMALL + ['start={shared={epochs=2,candidates=6,halvings=2}}', 'rho=4'],
    'founders': SMALL + ['init', 'start={founders={sigma=0.01}}', 'mutation.scale=relative', 'mutation.sigma=0.1'],
    'train-fitness': SMALL + ['start=independent', 'data.fitness=train', 'data.validation=0',
                              'network.hidden=[32,16]'],
    'no-evolution': SMALL + ['evolution_steps=0'],
    'nested': SMALL + ['strategy={kind="nested",succession="best",trail=[2,5]}'],
    'differential-evolution': SMALL + ['strategy={kind="differential-evolution"}', 'epochs=1'],
    'open-es': SMALL + ['strategy={kind="open-es",sigma=0.05}', 'mu=1', 'm=1', 'rho=1', 'epochs=0'],
    'control': ['generations=3', 'mu=6', 'm=4', 'lambda=8'],
    'convnet': ['preset=fashion-mnist', 'data', 'data.train=600', 'data.validation=200', 'data.test=200',
                'generations=2', 'mu=3', 'm=2', 'lambda=3', 'rho=2', 'start=independent', 'run.contrast=false',
                'optimizers=[{kind="sgd",lr=0.01,momentum=0.9},{kind="adam",lr=0.001}]'],
}


# Cases that a build of before may not know: what one of now makes is compared with what it makes when cut.
NEW = {'nested', 'differential-evolution', 'open-es'}


def arguments(case, data, founder):
    out = []
    for word in CASES[case]:
        if word == 'init':
            out += ['--init', founder]
        elif word == 'data':
            out += ['--data', data]
        elif word.startswith('preset='):
            out += ['--preset', word.removeprefix('preset=')]
        else:
            out += ['--set', word]
    return out


def run(program, folder, words, cut=None):
    """Trains; with `cut`, interrupts after so many seconds. Returns seconds."""
    command = [program, 'train', '--quiet', '--out', folder, *words]
    began = time.time()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if cut is not None:
        # A run that has not begun has nothing to go on with.
        checkpoints = os.path.join(folder, 'checkpoints')
        while process.poll() is None and not (
                time.time() - began >= cut and os.path.isdir(checkpoints)
                and any(name.endswith('.json') for name in os.listdir(checkpoints))):
            time.sleep(0.002)
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
    _, errors = process.communicate()
    if cut is None and process.returncode:
        sys.exit(f'{" ".join(command)}\n{errors}')
    return time.time() - began


def canonical(value):
    if isinstance(value, dict):
        return {RENAMED.get(k, k): canonical(v) for k, v in value.items() if k not in VOLATILE | ADDED}
    if isinstance(value, list):
        return [canonical(v) for v in value]
    return value


def tensors(path):
    """The tensors of a safetensors file and its metadata, without that of the file."""
    data = open(path, 'rb').read()
    size = struct.unpack('<Q', data[:8])[0]
    header = json.loads(data[8:8 + size])
    header.pop('__metadata__', None)
    return {k: (v['shape'], data[8 + size + v['data_offsets'][0]:8 + size + v['data_offsets'][1]])
            for k, v in header.items()}



def result(folder):
    """Everything that a run determines."""
    checkpoints = os.path.join(folder, 'checkpoints')
    last = max(name for name in os.listdir(checkpoints) if name[:-5].isdigit() and name.endswith('.json'))
    manifest = json.load(open(os.path.join(checkpoints, last)))
    found = {'best': tensors(os.path.join(folder, 'best.safetensors')), 'run': canonical(json.load(open(os.path.join(folder, 'run.json'))))}
    found['log'] = [canonical(json.loads(line)) for line in open(os.path.join(folder, 'metrics.jsonl'))]
    found['population'] = canonical(manifest.get('population', manifest.get('ledger')))
    for kind in ('networks', 'states'):
        found[kind] = {name: tensors(os.path.join(checkpoints, file + '.safetensors')) for name, file in manifest[kind].items()}
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('before')
    parser.add_argument('after')
    parser.add_argument('--data')
    parser.add_argument('--only', nargs='*')
    options = parser.parse_args()
    wrong = 0
    with tempfile.TemporaryDirectory() as base:
        founder = os.path.join(base, 'founder', 'best.safetensors')
        run(options.before, os.path.dirname(founder), arguments('archive', None, None))
        for case in options.only or CASES:
            if case == 'convnet' and not options.data:
                print(f'{case:22} LEFT OUT: it needs --data')
                continue
            words = arguments(case, options.data, founder)
            before = options.after if case in NEW else options.before
            folder = lambda kind: os.path.join(base, case, kind)
            seconds = run(before, folder('before'), words)
            run(options.after, folder('after'), words)
            expected = result(folder('before'))
            kinds = {'after': folder('after')}
            for kind, first, share in (('cut before', before, 0.35), ('cut after', options.after, 0.6)):
                run(first, folder(kind), words, cut=seconds * share)
                resumed = subprocess.run([options.after, 'resume', '--quiet', folder(kind)], capture_output=True, text=True)
                if 'complete' in resumed.stderr and resumed.returncode:
                    print(f'{case:22} {kind}: it was over before it was cut')
                    continue
                if resumed.returncode:
                    print(f'{case:22} {kind}: {resumed.stderr.strip()}')
                    wrong += 1
                    continue
                kinds[kind] = folder(kind)
            verdict = []
            for kind, where in kinds.items():
                found = result(where)
                different = [part for part in expected if expected[part] != found[part]]
                verified = subprocess.run([options.after, 'verify', '--quiet', where], capture_output=True, text=True)
                wrong += bool(different or verified.returncode)
                verdict.append(f'{kind}: ' + (f'DIFFERENT {different}' if different else 'same') + ('' if verified.returncode == 0 else ', NOT VERIFIED ' + verified.stderr.strip()))
            print(f'{case:22} {len(expected["networks"])} networks, {len(expected["states"])} states; ' + '; '.join(verdict), flush=True)
            shutil.rmtree(os.path.join(base, case))
    print(f'{wrong} different' if wrong else 'All the same to the bit.')
    sys.exit(bool(wrong))


if __name__ == '__main__':
    main()

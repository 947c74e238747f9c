// The one entry of every script: brings the toolchain (Node 24, pnpm) and the dependencies, then runs a task under them.
// Works with any Node from 20 on; what it needs it puts under .tools/ and node_modules/, nothing else on the machine changes.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const tools = join(root, '.tools')
const bin = join(tools, 'node_modules', '.bin')
const TOOLS = { node: '24.21.0', pnpm: '12.21.0' }

const say = (text) => process.stderr.write(`haat: ${text}\n`)
const env = {
  ...process.env,
  PATH: `${join(root, 'node_modules', '.bin')}${delimiter}${bin}${delimiter}${process.env.PATH}`,
  // Types are stripped and sources compiled once, not at every start.
  NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(root, 'node_modules', '.cache', 'compiled'),
}

/** Runs a command to its end; the process ends with it when it fails. */
function must(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    env,
    stdio: 'inherit',
    shell: process.platform === 'win32',
    ...options,
  })
  if (error) say(error.message)
  if (status !== 0) process.exit(status ?? 1)
}

function bringTools() {
  const marker = join(tools, 'versions.json')
  const wanted = JSON.stringify(TOOLS)
  if (existsSync(marker) && readFileSync(marker, 'utf8') === wanted) return
  say(`installing Node ${TOOLS.node} and pnpm ${TOOLS.pnpm} into .tools/ …`)
  mkdirSync(tools, { recursive: true })
  writeFileSync(join(tools, 'package.json'), JSON.stringify({ private: true }))
  must(
    'npm',
    [
      'install',
      '--prefix',
      tools,
      '--no-save',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
      ...Object.entries(TOOLS).map((t) => t.join('@')),
    ],
    { env: process.env },
  )
  writeFileSync(marker, wanted)
}

function bringDependencies() {
  const marker = join(root, 'node_modules', '.haat-lock')
  const wanted = createHash('sha256')
    .update(readFileSync(join(root, 'pnpm-lock.yaml')))
    .digest('hex')
  if (existsSync(marker) && readFileSync(marker, 'utf8') === wanted) return
  say('installing dependencies …')
  must('pnpm', ['install', '--frozen-lockfile', '--reporter=append-only', '--loglevel=warn'])
  writeFileSync(marker, wanted)
}

function filesIn(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (['node_modules', 'gen', 'test'].includes(entry.name)) return []
    const path = join(folder, entry.name)
    return entry.isDirectory() ? filesIn(path) : [path]
  })
}

/** Runs `work` when one of the files changed since it last ran. */
function whenChanged(marker, folders, force, work) {
  const hash = createHash('sha256')
  for (const file of folders.flatMap((folder) => filesIn(join(root, folder))).sort()) hash.update(readFileSync(file))
  const wanted = hash.digest('hex')
  const file = join(root, marker)
  if (!force && existsSync(file) && readFileSync(file, 'utf8') === wanted) return
  work()
  writeFileSync(file, wanted)
}

/** Generates code and the descriptor image from the contracts, then the typed clients from the BFFs. */
function generate({ force = false } = {}) {
  whenChanged('proto/gen/.hash', ['proto'], force, () => {
    must('buf', ['generate', '--template', 'proto/buf.gen.yaml'])
    must('buf', ['build', '-o', 'proto/gen/image.binpb'])
  })
  whenChanged('packages/client/gen/.hash', ['proto/haat', 'bff', 'packages/kit/src/http'], force, () =>
    must('node', ['packages/client/src/generate.ts']),
  )
}

const node = (...args) => ['node', args]
const tasks = {
  start: (args) => [node('packages/devnet/src/main.ts', ...args)],
  // The stories start the whole marketplace each: one at a time, after everything else.
  test: (args) =>
    args.length
      ? [['vitest', ['run', ...args]]]
      : [
          ...tasks.check([]),
          ['vitest', ['run', '--exclude', 'packages/devnet/**']],
          ['vitest', ['run', 'packages/devnet', '--maxWorkers=1']],
        ],
  // The stories alone, or those that are named.
  e2e: (args) => [
    ['vitest', ['run', ...(args.length ? args : ['']).map((name) => `packages/devnet/test/${name}`), '--maxWorkers=1']],
  ],
  gen: () => [],
  check: () => [
    ['buf', ['lint']],
    ['biome', ['check', '--error-on-warnings', '.']],
    ['tsc', ['-p', '.']],
    node('scripts/check-imports.mjs'),
  ],
  fmt: () => [
    ['biome', ['check', '--write', '.']],
    ['buf', ['format', '-w']],
  ],
  import: (args) => [node('packages/devnet/src/import.ts', ...args)],
  // Faults on purpose, at full length; `npm test` has a short form of each.
  drill: (args) => [node('packages/devnet/src/drills/main.ts', ...args)],
  bench: (args) => [node('bench/src/main.ts', ...args)],
}

const [task, ...args] = process.argv.slice(2)
const steps = Object.hasOwn(tasks, task ?? '') ? tasks[task] : undefined
if (!steps) {
  say(`usage: npm run ${Object.keys(tasks).join('|')}`)
  process.exit(2)
}
bringTools()
bringDependencies()
generate({ force: task === 'gen' })
for (const [command, parameters] of steps(args)) {
  // Signals go to the child, which stops in order; its exit code is ours.
  const child = spawn(command, parameters, { cwd: root, env, stdio: 'inherit', shell: process.platform === 'win32' })
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
  const code = await new Promise((resolve) => child.on('exit', (status, signal) => resolve(signal ? 1 : status)))
  if (code !== 0) process.exit(code ?? 1)
}

import { mkdirSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const SHOWN = 20
const FIRST_PORT = 18_200

/** A process whose functions can be timed. */
export type Inspected = { name: string; pid: number; port: number }

/** Where a process's inspector would listen; until it is asked to, nothing listens and nothing is slower. */
export const inspectorPort = (index: number): number => FIRST_PORT + index

type CpuProfile = {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[]
  samples: number[]
  timeDeltas: number[]
}

/** Starts timing the functions of a process; the answer stops, keeps the profile in `folder` and says where the time went. */
export async function startProfile(
  { name, pid, port }: Inspected,
  folder: string,
  row: string,
): Promise<() => Promise<string>> {
  process.kill(pid, 'SIGUSR1')
  const inspector = await connect(port)
  await inspector.ask('Profiler.enable')
  await inspector.ask('Profiler.setSamplingInterval', { interval: 500 })
  await inspector.ask('Profiler.start')
  return async () => {
    const { profile } = (await inspector.ask('Profiler.stop')) as { profile: CpuProfile }
    inspector.close()
    mkdirSync(folder, { recursive: true })
    const file = join(folder, `${row.replace(/\W+/g, '-')}.${name}.cpuprofile`)
    writeFileSync(file, JSON.stringify(profile))
    return `${name} (${file})\n${topFunctions(profile)}`
  }
}

async function connect(port: number) {
  const socket = new WebSocket(await debuggerUrl(port))
  await new Promise((resolve, reject) => {
    socket.onopen = resolve
    socket.onerror = () => reject(new Error(`the inspector on port ${port} does not answer`))
  })
  let last = 0
  const waiting = new Map<number, (result: unknown) => void>()
  socket.onmessage = ({ data }) => {
    const { id, result } = JSON.parse(String(data)) as { id?: number; result?: unknown }
    if (id !== undefined) waiting.get(id)?.(result)
  }
  return {
    ask: (method: string, params: object = {}) =>
      new Promise<unknown>((resolve) => {
        waiting.set(++last, resolve)
        socket.send(JSON.stringify({ id: last, method, params }))
      }),
    close: () => socket.close(),
  }
}

async function debuggerUrl(port: number): Promise<string> {
  for (let tries = 0; ; tries++)
    try {
      const answer = await fetch(`http://127.0.0.1:${port}/json/list`)
      return ((await answer.json()) as { webSocketDebuggerUrl: string }[])[0]!.webSocketDebuggerUrl
    } catch (error) {
      if (tries === 50) throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
}

/** The functions with most time of their own, as shares of the whole. */
export function topFunctions({ nodes, samples, timeDeltas }: CpuProfile): string {
  const nodeById = new Map(nodes.map((node) => [node.id, node]))
  const own = new Map<string, number>()
  let all = 0
  for (const [index, id] of samples.entries()) {
    const { functionName, url, lineNumber } = nodeById.get(id)!.callFrame
    const where = url ? ` ${placeOf(url)}:${lineNumber + 1}` : ''
    const key = `${functionName || '(anonymous)'}${where}`
    const time = Math.max(0, timeDeltas[index] ?? 0)
    own.set(key, (own.get(key) ?? 0) + time)
    all += time
  }
  const idle = own.get('(idle)') ?? 0
  own.delete('(idle)')
  const lines = [...own]
    .sort((a, b) => b[1] - a[1])
    .slice(0, SHOWN)
    .map(([key, time]) => `    ${((100 * time) / all).toFixed(1).padStart(5)} %  ${key}`)
  return [`    ${((100 * idle) / all).toFixed(1).padStart(5)} %  idle`, ...lines].join('\n')
}

const root = fileURLToPath(new URL('../..', import.meta.url))
const placeOf = (url: string): string =>
  url.startsWith('file:')
    ? relative(root, fileURLToPath(url)).replace(/node_modules\/\.pnpm\/[^/]+\/node_modules\//, '')
    : url

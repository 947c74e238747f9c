import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The processes that are looked at, by name; a name stands for the process and everything it started. */
export type Processes = Map<string, number>
/** CPU milliseconds used so far, by name. */
export type Cpu = Map<string, number>

// Linux counts in hundredths of a second whatever its kernel ticks at.
const MS_PER_TICK = 10

/** Members and stores that a data directory's marketplace runs, as their starts wrote them down. */
export function processesOf(dataDir: string): Processes {
  const folder = join(dataDir, 'run')
  if (!existsSync(folder)) return new Map()
  return new Map(
    readdirSync(folder)
      .filter((file) => file.endsWith('.json'))
      .map((file) => [
        file.slice(0, -'.json'.length),
        (JSON.parse(readFileSync(join(folder, file), 'utf8')) as { server: { pid: number } }).server.pid,
      ]),
  )
}

/** What each has used of the processors; empty where there is no /proc. */
export function readCpu(processes: Processes): Cpu {
  const family = families(processes)
  return new Map(
    [...family].map(([name, stats]) => [name, stats.reduce((sum, { ticks }) => sum + ticks, 0) * MS_PER_TICK]),
  )
}

/** Used between two readings, by name. */
export const cpuBetween = (before: Cpu, after: Cpu): Cpu =>
  new Map([...after].map(([name, ms]) => [name, ms - (before.get(name) ?? ms)]))

/** Resident megabytes by name; pages that several processes of one name share count once. */
export function readMemory(processes: Processes): Map<string, number> {
  return new Map(
    [...families(processes)].map(([name, stats]) => {
      const alone = stats.length === 1
      return [name, stats.reduce((sum, { pid }) => sum + kilobytes(pid, alone ? 'Rss' : 'Pss'), 0) / 1024]
    }),
  )
}

type Stat = { pid: number; parent: number; ticks: number }

function families(processes: Processes): Map<string, Stat[]> {
  if (!existsSync('/proc/self/stat')) return new Map()
  const all = new Map<number, Stat>()
  for (const entry of readdirSync('/proc')) {
    const stat = /^\d+$/.test(entry) ? readStat(Number(entry)) : undefined
    if (stat) all.set(stat.pid, stat)
  }
  const byPid = new Map([...processes].map(([name, pid]) => [pid, name]))
  const found = new Map<string, Stat[]>([...processes.keys()].map((name) => [name, []]))
  for (const stat of all.values()) {
    let at: Stat | undefined = stat
    while (at && !byPid.has(at.pid)) at = all.get(at.parent)
    if (at) found.get(byPid.get(at.pid)!)!.push(stat)
  }
  return found
}

/** Time of the process and of its children that have ended. */
function readStat(pid: number): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const [user, system, childUser, childSystem] = fields.slice(11, 15).map(Number) as [number, number, number, number]
    return { pid, parent: Number(fields[1]), ticks: user + system + childUser + childSystem }
  } catch {
    return undefined
  }
}

function kilobytes(pid: number, field: 'Rss' | 'Pss'): number {
  try {
    return Number(
      new RegExp(`^${field}: +(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0,
    )
  } catch {
    return 0
  }
}

import { availableParallelism, totalmem, type } from 'node:os'
import type { Measured } from './bench.ts'
import { floorTitles } from './floors/floors.ts'
import type { Target } from './rows/row.ts'

/** A measured row of the table; floors have no target. */
export type Line = { name: string; target?: Target; measured: Measured }
export type Report = {
  lines: Line[]
  /** Resident megabytes by process: at rest after the start, and after the rows. */
  memory: { title: string; megabytes: Map<string, number> }[]
  stores: Record<string, string>
  sizes: string
  /** How many rows are still to come; a run that is cut short leaves it so. */
  missing: number
}

/** Why a target is missed, or undefined when it is met. */
export function missed({ target, measured }: Line): string | undefined {
  if (measured.faults.length) return 'faulty'
  if (!target) return undefined
  if ('of' in target) {
    const ratio = ratioOf(measured)
    if (ratio === undefined || ratio < target.atLeast) return 'too slow'
    return target.p99Below !== undefined && (measured.p99 ?? Infinity) >= target.p99Below ? 'p99' : undefined
  }
  if ('perSecond' in target) return (measured.perSecond ?? 0) < target.perSecond ? 'too slow' : undefined
  if ('below' in target) return (measured.value ?? Infinity) >= target.below ? 'too much' : undefined
  return (measured.p50 ?? Infinity) >= target.p50Below || (measured.p99 ?? Infinity) >= target.p99Below
    ? 'too slow'
    : undefined
}

const ratioOf = ({ perSecond, floor }: Measured): number | undefined =>
  floor && perSecond !== undefined ? perSecond / floor : undefined

const percent = (share: number) => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`
const ms = (value: number | undefined) => (value === undefined ? '' : value.toFixed(value < 10 ? 2 : 0))
const rate = (value: number | undefined) => (value === undefined ? '' : value.toFixed(value < 100 ? 1 : 0))

function targetText(target: Target): string {
  if ('of' in target) {
    const p99 = target.p99Below === undefined ? '' : `, p99 < ${target.p99Below} ms`
    return `≥ ${percent(target.atLeast)} of ${target.of}${p99}`
  }
  if ('perSecond' in target) return `≥ ${target.perSecond} a second`
  if ('below' in target) return `< ${target.below} ${target.unit}`
  return `p50 < ${target.p50Below} ms, p99 < ${target.p99Below} ms`
}

function cells(line: Line): string[] {
  const { name, target, measured } = line
  const ratio = ratioOf(measured)
  const value =
    measured.value !== undefined && target && 'below' in target ? `${rate(measured.value)} ${target.unit}` : ''
  const cpu = [...(measured.cpu?.values() ?? [])].reduce((sum, each) => sum + each, 0)
  return [
    name,
    value || rate(measured.perSecond),
    ms(measured.p50),
    ms(measured.p95),
    ms(measured.p99),
    cpu ? cpu.toFixed(2) : '',
    rate(measured.floor),
    ratio === undefined ? '' : percent(ratio),
    target ? targetText(target) : '',
    target || measured.faults.length ? (missed(line) ?? 'met') : '',
  ]
}

const HEAD = ['', 'a second', 'p50 ms', 'p95 ms', 'p99 ms', 'CPU ms each', 'floor', 'of floor', 'target', '']

/** The table for a terminal. */
export function printed(lines: Line[]): string {
  const rows = [HEAD, ...lines.map(cells)]
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows
    .map((row) =>
      row.map((cell, at) => (at === 0 || at > 7 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!))).join('  '),
    )
    .join('\n')
}

/** Where one line's processor time went, largest first; what is next to nothing is told together. */
export function cpuText(cpu: Map<string, number> = new Map()): string {
  const all = [...cpu.values()].reduce((sum, each) => sum + each, 0)
  const shown = [...cpu].filter(([, each]) => each >= all / 50).sort((a, b) => b[1] - a[1])
  const others = all - shown.reduce((sum, [, each]) => sum + each, 0)
  return [...shown, ...(others > 0 ? [['others', others] as const] : [])]
    .map(([name, each]) => `${name} ${each.toFixed(2)}`)
    .join(' · ')
}

/** The rows of several sizes side by side: throughput, and p99 in brackets. */
export function growthDocument(machine: string, steps: { title: string; lines: Line[] }[]): string {
  const names = [...new Set(steps.flatMap(({ lines }) => lines.map(({ name }) => name)))]
  const cell = (name: string, lines: Line[]) => {
    const measured = lines.find((line) => line.name === name)?.measured
    if (!measured) return ''
    return `${rate(measured.perSecond)} (${ms(measured.p99)} ms)${measured.faults.length ? ' faulty' : ''}`
  }
  return `# What it does per second as it grows

${machine}
A second, with p99 in brackets. The floors have no data and tell how fast the machine was in that hour. Products came through the
import RPC; old orders are copies of real ones, written straight into order's and payment's tables.

${markdownTable([['', ...steps.map(({ title }) => title)], ...names.map((name) => [name, ...steps.map(({ lines }) => cell(name, lines))])])}
`
}

const markdownTable = (rows: string[][]): string =>
  [rows[0]!, rows[0]!.map(() => '---'), ...rows.slice(1)].map((row) => `| ${row.join(' | ')} |`).join('\n')

/** The report as a document. */
export function document(report: Report): string {
  const { lines, memory, stores, sizes } = report
  const processes = [...new Set(memory.flatMap(({ megabytes }) => [...megabytes.keys()]))]
  const notes = lines.filter(({ measured }) => measured.notes.length || measured.faults.length)
  return `# What it does per second

${machineText(stores)}
${sizes}${report.missing ? `\nRows that this run has not reached: ${report.missing}.` : ''}

"floor" is what the row's floor did per second, the mean of right before and right after it, "of floor" the throughput as a share of that: ${Object.entries(
    floorTitles,
  )
    .map(([name, title]) => `*${name}* is ${title.replace('floor: ', '')}`)
    .join(', ')}. "CPU ms each" is the processor time of everything together, load generator included, per repetition.

${markdownTable([HEAD, ...lines.map(cells)])}

## Processor time by process, ms per repetition
${markdownTable([['', ''], ...lines.filter(({ measured }) => measured.cpu?.size).map(({ name, measured }) => [name, cpuText(measured.cpu)])])}
${
  memory.length
    ? `
## Resident memory, MB
${markdownTable([
  ['', ...memory.map(({ title }) => title)],
  ...processes.map((name) => [name, ...memory.map(({ megabytes }) => megabytes.get(name)?.toFixed(0) ?? '')]),
])}
`
    : ''
}
## Notes
${notes.map(({ name, measured }) => [...measured.notes, ...measured.faults.map((fault) => `**${fault}**`)].map((note) => `- ${name}: ${note}`).join('\n')).join('\n')}
`
}

/** When, and on what. */
export function machineText(stores: Record<string, string>): string {
  const machine = [
    `${availableParallelism()} cores`,
    `${Math.round(totalmem() / 2 ** 30)} GB`,
    type(),
    `Node ${process.versions.node}`,
  ]
  return `Written by \`npm run bench\` on ${new Date().toISOString().slice(0, 10)}: ${machine.join(', ')}.
Stores: ${Object.values(stores).map(neutral).join('; ')}.`
}

/** Without where it lies on this machine. */
const neutral = (chosen: string): string => chosen.replace(/ on port \d+.*$/, '').replace(/ \(\/.*?\)/, '')

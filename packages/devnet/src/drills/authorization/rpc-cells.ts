import { ruleOf } from '@haat/kit/descriptors'
import { each } from '../../each.ts'
import { rpcMethods } from '../rpcs.ts'
import { changedSince } from '../snapshot.ts'
import type { Stage } from '../stage.ts'
import { type Cast, needsOf } from './cast.ts'
import { type Cells, chooser, columnsOf, emptyCells, type Sample, tally, type Worlds, worldOf } from './cells.ts'
import { type Expectation, expected, outcomeOf } from './expected.ts'
import type { Identity } from './identities.ts'
import type { Line } from './lines.ts'
import { secretsOf, type World } from './worlds.ts'

type Cell = { name: string; line: Line; me: Identity; of: World; expectation: Expectation; label: string }

/**
 * Calls every RPC as everybody with every object. First what must change nothing: all reads, and all writes that the contract
 * refuses; then the writes that it admits.
 */
export async function checkRpcs(
  { rpcs, lines, worlds, snapshots, log }: Stage,
  cast: Cast,
  sample: Sample,
): Promise<Cells> {
  const methods = rpcMethods()
  const result = emptyCells()
  for (const name of methods.keys()) if (!lines.has(name)) result.faults.push(`${name} has no line in the matrix`)
  for (const name of lines.keys()) if (!methods.has(name)) result.faults.push(`${name} is no RPC any more`)

  const harmless: Cell[][] = []
  const writes: Cell[] = []
  for (const [name, all] of lines) {
    const method = methods.get(name)
    if (!method) continue
    const reads = method.idempotency === NO_SIDE_EFFECTS
    const isChosen = chooser(sample, name)
    for (const line of all)
      for (const me of cast.of(needsOf(name, all))) {
        if (!isChosen()) continue
        const cells = columnsOf(line).map((column): Cell => {
          const of = worldOf(worlds, me, column)
          const label = `${name}${line.by ? ` by ${line.by}` : ''}, ${me.name}, ${column}`
          return { name, line, me, of, expectation: expected(ruleOf(method)!, line, me, of), label }
        })
        const mayWrite = ({ expectation }: Cell) => !reads && expectation.outcomes.includes('admitted')
        harmless.push(cells.filter((cell) => !mayWrite(cell)))
        writes.push(...cells.filter(mayWrite))
      }
  }

  const ask = async (cell: Cell, renewed?: Partial<World>): Promise<Told> => {
    const { name, line, me, of, expectation, label } = cell
    const answer = await rpcs.call(name, line.request(renewed ? { ...of, ...renewed } : of, me), me.who)
    const outcome = outcomeOf(answer)
    if (outcome === undefined || !expectation.outcomes.includes(outcome))
      result.faults.push(
        `${label}: ${answer.status} ${answer.code} (${answer.message}) instead of ${expectation.outcomes.join(' or ')}`,
      )
    if (outcome) tally(result, me, outcome)
    const body = JSON.stringify(answer.body, plain) ?? ''
    const leaked = expectation.extent === 'all' ? undefined : leakIn(body, me, worlds)
    if (leaked) result.faults.push(`${label}: shows "${leaked}"`)
    const { status, code, message, details } = answer
    return { cell, said: blind(JSON.stringify({ status, code, message, details, body }), of) }
  }
  const compare = (told: Told[]) => {
    const absent = told.find(({ cell }) => cell.of.name === 'absent')
    for (const { cell, said } of told) {
      if (!absent || cell === absent.cell || !cell.expectation.asAbsent) continue
      result.compared += 1
      if (said !== absent.said)
        result.faults.push(`${cell.label}: ${said.slice(0, 300)} is not ${absent.said.slice(0, 300)}`)
    }
  }

  let before = await snapshots.calm()
  for (const service of new Set([...lines.keys()].map(serviceIn))) {
    const own = harmless.filter(([cell]) => cell && serviceIn(cell.name) === service)
    await each(own, 8, async (cells) => compare(await Promise.all(cells.map((cell) => ask(cell)))))
    const after = await snapshots.take()
    for (const change of changedSince(before, after))
      result.faults.push(`a read or a refused call of ${service} wrote ${change}`)
    before = after
    log(`${service}: ${result.cells} cells so far`)
  }
  log(`${writes.length} writes that the contract admits`)
  const told = new Map<string, Told[]>()
  for (const cell of writes) {
    const absent = cell.of.name === 'absent'
    const one = await ask(cell, absent ? undefined : await cell.line.renew?.(cell.of))
    const group = cell.label.slice(0, cell.label.lastIndexOf(','))
    told.set(group, [...(told.get(group) ?? []), one])
  }
  for (const group of told.values()) compare(group)
  return result
}

type Told = { cell: Cell; said: string }

const NO_SIDE_EFFECTS = 1
const serviceIn = (name: string) => name.slice(0, name.indexOf('.'))
const plain = (_key: string, value: unknown) => (typeof value === 'bigint' ? Number(value) : value)

/** An answer's text without the ids that differ between what is foreign and what is absent. */
export function blind(text: string, of: World): string {
  let blinded = text
  for (const [field, value] of Object.entries(of))
    if (field !== 'name' && value.length > 5) blinded = blinded.replaceAll(value, '…')
  return blinded
}

/** What an answer shows of a world that the caller has nothing to do with. */
export function leakIn(text: string, me: Identity, worlds: Worlds): string | undefined {
  for (const world of [worlds.A, worlds.B]) {
    if (me.home === world.name && (me.isCustomer || me.vendorId)) continue
    const found = secretsOf(world).find((secret) => text.includes(secret))
    if (found) return found
  }
  return undefined
}

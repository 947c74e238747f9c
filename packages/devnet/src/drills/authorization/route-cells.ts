import { ruleOf } from '@haat/kit/descriptors'
import { each } from '../../each.ts'
import { type Operation, readOperations } from '../openapi.ts'
import { rpcMethods } from '../rpcs.ts'
import { changedSince } from '../snapshot.ts'
import type { Stage } from '../stage.ts'
import { type Cast, needsOf } from './cast.ts'
import { type Cells, chooser, columnsOf, emptyCells, type Sample, tally, worldOf } from './cells.ts'
import { type Expectation, expected, type Outcome, outcomeOf } from './expected.ts'
import type { Identity } from './identities.ts'
import type { Line } from './lines.ts'
import { type RouteLine, routeLines } from './route-lines.ts'
import { names, requestOf, sendRequest } from './route-request.ts'
import { blind, leakIn } from './rpc-cells.ts'
import type { World } from './worlds.ts'

const STAFF = ['super_admin', 'staff']
const guest = { kind: 'nobody', roles: [], permissions: [], isCustomer: false, vendorId: undefined } as const

type Cell = {
  operation: Operation
  route: RouteLine
  line: Line
  me: Identity
  of: World
  /** Another vendor's path than the object's. */
  vendorPath: string | undefined
  expectation: Expectation
  label: string
}

/**
 * Calls every route as everybody with every object, as long as that changes nothing: all reads, and the writes that are
 * refused. What a route lets in follows from who it is for and from the rules of the RPCs behind it.
 */
export async function checkRoutes(
  { devnet, lines, worlds, snapshots, log }: Stage,
  cast: Cast,
  sample: Sample,
): Promise<Cells> {
  const result = emptyCells()
  let before = await snapshots.calm()
  for (const api of ['storefront', 'vendor', 'admin'] as const) {
    const operations = await readOperations(api, devnet.urls[api])
    const known = new Map(Object.entries(routeLines[api]!))
    const groups: Cell[][] = []
    for (const operation of operations) {
      const name = `${operation.method} ${operation.path}`
      const route = known.get(name)
      if (!known.delete(name) || !route) result.faults.push(`${api} ${name} has no line in the matrix`)
      else groups.push(...cellsOf(operation, route))
    }
    for (const name of known.keys()) result.faults.push(`${api} ${name} is no route any more`)
    await each(groups, 8, async (cells) => compare(await Promise.all(cells.map(ask))))
    const after = await snapshots.calm()
    for (const change of changedSince(before, after))
      result.faults.push(`a read or a refused call of the ${api} API wrote ${change}`)
    before = after
    log(`${api} API: ${result.cells} cells so far`)
  }
  return result

  function cellsOf(operation: Operation, route: RouteLine): Cell[][] {
    const [first] = route.rpcs as [string]
    const needs = needsOf(first, lines.get(first)!)
    const isChosen = chooser(sample, `${operation.api} ${operation.method} ${operation.path}`)
    const reads = operation.method === 'GET' && rpcMethods().get(first)!.idempotency === 1
    const { A } = worlds
    // Not every route can name what its RPC can.
    const says = (line: Line) =>
      !line.by || line.mine || names(requestOf({ operation, route, line, me: cast.of(needs)[0]!, of: A }), A[line.by])
    return lines
      .get(first)!
      .filter(says)
      .flatMap((line) =>
        cast.of(needs).flatMap((me) => {
          if (!isChosen()) return []
          const name = `${operation.api} ${operation.method} ${operation.path}${line.by ? ` by ${line.by}` : ''}, ${me.name}`
          const cell = (of: World, label: string, vendorPath?: string): Cell => {
            const expectation = vendorPath
              ? { outcomes: ['missing', 'denied'] as Outcome[], extent: 'own' as const, asAbsent: true }
              : expectedOfRoute(operation, route, line, me, of, lines)
            return { operation, route, line, me, of, vendorPath, expectation, label: `${name}, ${label}` }
          }
          const cells = columnsOf(line).map((column) => cell(worldOf(worlds, me, column), column))
          const detours =
            me.vendorId && line.by !== 'vendorId' && operation.path.includes('{vendorId}')
              ? [
                  cell(worlds[me.home], "on a foreign vendor's path", worldOf(worlds, me, 'foreign').vendorId),
                  cell(worlds[me.home], "on an absent vendor's path", worlds.absent.vendorId),
                ]
              : []
          const harmless = ({ expectation }: Cell) => reads || !expectation.outcomes.includes('admitted')
          return [cells.filter(harmless), detours]
        }),
      )
  }

  async function ask(cell: Cell): Promise<{ cell: Cell; said: string }> {
    const { me, of, expectation, label } = cell
    const { status, code, text } = await sendRequest(devnet, cell.operation, requestOf(cell))
    const outcome = outcomeOfHttp(status, code)
    if (outcome === undefined || !expectation.outcomes.includes(outcome))
      result.faults.push(`${label}: ${status} ${text.slice(0, 200)} instead of ${expectation.outcomes.join(' or ')}`)
    if (outcome) tally(result, me, outcome)
    const leaked = expectation.extent === 'all' ? undefined : leakIn(text, me, worlds)
    if (leaked) result.faults.push(`${label}: shows "${leaked}"`)
    const said = blind(text.replace(/"requestId":"[^"]*"/, ''), of)
    return { cell, said: `${status} ${cell.vendorPath ? said.replaceAll(cell.vendorPath, '…') : said}` }
  }

  function compare(told: { cell: Cell; said: string }[]): void {
    const absent = told.find(({ cell }) => cell.of.name === 'absent' || cell.vendorPath === worlds.absent.vendorId)
    for (const { cell, said } of told) {
      if (!absent || cell === absent.cell || !cell.expectation.asAbsent) continue
      result.compared += 1
      if (said !== absent.said)
        result.faults.push(`${cell.label}: ${said.slice(0, 300)} is not ${absent.said.slice(0, 300)}`)
    }
  }
}

/** What a route must come to: who it is for, then every RPC behind it. */
function expectedOfRoute(
  { auth, path }: Operation,
  { rpcs, forGuests, ofVendor }: RouteLine,
  line: Line,
  me: Identity,
  of: World,
  lines: Map<string, Line[]>,
): Expectation {
  const refused = (outcome: Outcome): Expectation => ({ outcomes: [outcome], extent: 'none', asAbsent: false })
  // Tokens of tools and processes are for gRPC; a BFF signs in people.
  if (auth !== 'public' && me.kind !== 'person') return refused('login')
  if (auth === 'vendor' && !me.vendorId) return refused('denied')
  if (auth === 'staff' && !me.roles.some((role) => STAFF.includes(role))) return refused('denied')
  const caller = forGuests || me.kind !== 'person' ? { ...me, ...guest } : me
  // Whoever works for a vendor is told that another one is not there, before what they may do there is looked at.
  const elsewhere =
    auth === 'vendor' && path.includes('{vendorId}') && line.by === 'vendorId' && of.vendorId !== me.vendorId
  if (elsewhere) return { outcomes: ['missing', 'denied'], extent: 'own', asAbsent: true }
  const narrowed: Line = ofVendor ? { ...line, owner: 'vendor' } : line
  const all = rpcs.map((name, index) => {
    const same = index === 0 ? narrowed : (lines.get(name)!.find(({ by }) => by === line.by) ?? lines.get(name)![0]!)
    return expected(ruleOf(rpcMethods().get(name)!)!, same, caller, of)
  })
  const closed = all.filter(({ outcomes }) => !outcomes.includes('admitted'))
  if (closed.length === 0) return all[0]!
  return {
    outcomes: [...new Set(closed.flatMap(({ outcomes }) => outcomes))],
    extent: all[0]!.extent,
    asAbsent: closed.every(({ asAbsent }) => asAbsent),
  }
}

function outcomeOfHttp(status: number, code: string): Outcome | undefined {
  if (status >= 500) return undefined
  if (status === 403) return 'denied'
  if (status === 404) return 'missing'
  return outcomeOf({ status: status === 401 ? 'UNAUTHENTICATED' : 'OK', code })
}

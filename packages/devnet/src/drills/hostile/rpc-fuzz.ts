import { ruleOf } from '@haat/kit/descriptors'
import type { TsProtoService } from '@haat/kit/grpc-server'
import { each } from '../../each.ts'
import { createRandom } from '../../seed/random.ts'
import {
  type Answer,
  type Credentials,
  definitions,
  type Method,
  openRpcs,
  type Rpcs,
  rpcMethods,
  serviceOf,
} from '../rpcs.ts'
import type { Stage } from '../stage.ts'
import { brokenBytes, spoiled, TEXTS } from './junk.ts'
import { repeatRefused } from './repeat-refused.ts'

export type Fuzzed = {
  requests: number
  /** How often each status was answered. */
  statuses: Map<string, number>
  /** Refused requests that were sent a second time, to see that they write nothing. */
  repeated: number
  faults: string[]
}

type Sent = { name: string; bytes: Uint8Array; who: Credentials; what: string }

// Called last: they take away what the others work on.
const LAST = [
  'catalog.ArchiveProduct',
  'order.CancelOrder',
  'order.CancelVendorOrder',
  'auth.RevokeRole',
  'auth.AssignRole',
  'auth.UpsertRole',
  'auth.SetUserStatus',
  'vendor.SetVendorStatus',
  'vendor.Apply',
  'profile.ForgetMe',
]

/**
 * Sends every RPC requests that are nearly right, and bytes that are nothing: none may be answered as our mistake, and what is
 * refused writes nothing.
 */
export async function fuzzRpcs(
  { devnet, rpcs, worlds, residents, lines, admin, snapshots, log }: Stage,
  options: { seed: number; perRpc: number },
): Promise<Fuzzed> {
  const raw = openRpcs(devnet, { raw: true })
  const result: Fuzzed = { requests: 0, statuses: new Map(), repeated: 0, faults: [] }
  const customer = { token: residents.A.buyer.identity.token! }
  const seller = { token: residents.A.own.identity.token! }
  const service = await serviceToken(devnet.clientSecret('order'), rpcs)
  const words = [...TEXTS, ...Object.values(worlds.A), ...Object.values(worlds.B)]

  const requestsOf = (name: string): Sent[] => {
    const random = createRandom(options.seed, name)
    const method = rpcMethods().get(name)!
    const rule = ruleOf(method)!
    const insider =
      rule.roles.length || rule.permissions.length ? admin : rule.vendor ? seller : rule.service ? service : customer
    const encode = encoderOf(name, method)
    const found: Sent[] = []
    while (found.length < options.perRpc) {
      const line = random.pick(lines.get(name)!)
      const me = { vendorId: worlds.A.vendorId } as never
      const base = line.request(random.chance(0.8) ? worlds.A : worlds.B, me)
      const who = random.chance(0.7) ? insider : random.pick([admin, seller, customer, service, {}])
      const nearly = encode(spoiled(method.input, base, random, words)) ?? encode(base)!
      const isBroken = random.chance(0.3)
      found.push({
        name,
        who,
        bytes: isBroken ? brokenBytes(nearly, random) : nearly,
        what: isBroken ? 'broken bytes' : 'a nearly right request',
      })
    }
    return found
  }
  const send = async (sent: Sent): Promise<Answer> => {
    const answer = await raw.call(sent.name, { bytes: sent.bytes }, sent.who)
    // What is busy for a moment is asked once more.
    return isBusy(answer) ? raw.call(sent.name, { bytes: sent.bytes }, sent.who) : answer
  }
  const note = (sent: Sent, { status, code, message }: Answer) => {
    result.requests += 1
    result.statuses.set(status, (result.statuses.get(status) ?? 0) + 1)
    if (OURS.has(status) || isBusy({ status }))
      result.faults.push(
        `${sent.name}, ${sent.what} ${Buffer.from(sent.bytes).toString('base64').slice(0, 400)}: ${status} ${code} (${message})`,
      )
  }

  try {
    const names = [...lines.keys()].sort((a, b) => LAST.indexOf(a) - LAST.indexOf(b))
    for (const service of [...new Set(names.map((name) => name.split('.')[0]!)), 'last']) {
      const own = names.filter((name) =>
        service === 'last' ? LAST.includes(name) : name.startsWith(`${service}.`) && !LAST.includes(name),
      )
      const all = own.flatMap(requestsOf)
      const refused: Sent[] = []
      await each(all, 8, async (sent) => {
        const answer = await send(sent)
        note(sent, answer)
        if (answer.status !== 'OK') refused.push(sent)
      })
      const again = await repeatRefused(snapshots, refused, async (sent) => (await send(sent)).status !== 'OK')
      result.repeated += again.repeated
      for (const change of again.changes) result.faults.push(`refused calls of ${service} wrote ${change}`)
      log(`${service}: ${result.requests} requests so far`)
    }
  } finally {
    raw.close()
  }
  return result
}

const OURS = new Set(['INTERNAL', 'UNKNOWN', 'DATA_LOSS', 'UNIMPLEMENTED', 'CANCELLED'])
const isBusy = ({ status }: Pick<Answer, 'status'>) => status === 'UNAVAILABLE' || status === 'DEADLINE_EXCEEDED'

async function serviceToken(clientSecret: string, rpcs: Rpcs): Promise<Credentials> {
  const { accessToken } = await rpcs.ask('auth.IssueServiceToken', { clientId: 'order', clientSecret })
  return { serviceToken: accessToken }
}

/** Puts a request of an RPC into bytes; undefined for one that no client could send. */
function encoderOf(name: string, method: Method): (request: object) => Uint8Array | undefined {
  const definition = definitions.find(({ fullName }) => serviceOf(fullName) === name.split('.')[0])!
  const { requestType } = (definition as TsProtoService).methods[method.localName]!
  return (request) => {
    try {
      return requestType.encode(requestType.fromPartial(request as never) as never).finish()
    } catch {
      return undefined
    }
  }
}

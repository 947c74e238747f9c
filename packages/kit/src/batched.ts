import { AsyncLocalStorage } from 'node:async_hooks'
import { type CallOptions, Metadata } from 'nice-grpc'
import { currentCall, inNoCall } from './call.ts'
import { AppError } from './errors.ts'
import { HOP_MS } from './grpc-client.ts'
import { HEADERS } from './grpc-server.ts'

/** What most contracts allow in one request. */
const MOST_KEYS = 200
/** A call that hangs holds nobody up for longer. */
const MAX_WAIT_MS = 10

type Waiting<Item> = {
  keys: readonly string[]
  /** Runs work as the one who waits: by then somebody else's call may be current. */
  asAsker<T>(work: () => T): T
  resolve(items: Item[]): void
  reject(error: unknown): void
}

/**
 * A `BatchGet…` client method whose calls are joined: while one is under way, whoever else asks waits until it is answered, at most
 * 10 ms, and all who wait go as one, under the request ids of the first of them. Without load nothing waits; the more there is, the
 * fewer calls it takes. Nobody waits past their own deadline, and nobody is answered from a call that left before they asked, unless
 * `holdMs` says so: then what was read is answered again until so long after its call left.
 *
 * For reads whose answer is the same for everybody, that leave out what they do not find: a joined call carries no person's
 * identity. `keys` and `items` are the fields of request and response, `keyOf` tells an item's key, `most` how many keys a request
 * may have. `holdMs` is for names and descriptions that many ask for; no price, stock or status that decides something.
 */
export function batched<Keys extends string, Items extends string, Item>(
  rpc: (request: { [field in Keys]: string[] }, options?: CallOptions) => Promise<{ [field in Items]: Item[] }>,
  fields: { keys: Keys; items: Items; keyOf: (item: Item) => string; most?: number; holdMs?: number },
): (request: { [field in Keys]?: readonly string[] | undefined }) => Promise<{ [field in Items]: Item[] }> {
  const { most = MOST_KEYS, holdMs = 0 } = fields
  const held = createHeld<Item>(holdMs)
  let underway = 0
  let waiting: Waiting<Item>[] = []
  let timer: NodeJS.Timeout | undefined

  const fetch = (keys: string[]) => {
    const call = currentCall()
    const metadata = Metadata()
    if (call) metadata.set(HEADERS.requestId, call.requestId).set(HEADERS.correlationId, call.correlationId)
    // Outside of the call: neither its deadline nor its caller's leaving is the others'.
    return inNoCall(
      async () => (await rpc({ [fields.keys]: keys } as { [field in Keys]: string[] }, { metadata }))[fields.items],
    )
  }
  const answer = async (some: Waiting<Item>[], keys: string[]) => {
    underway += 1
    const leftAt = performance.now()
    try {
      const found = await some[0]!.asAsker(() => fetch(keys))
      const items = new Map(found.map((item) => [fields.keyOf(item), item]))
      held.keep(items, leftAt)
      for (const one of some) one.resolve(one.keys.flatMap((key) => items.get(key) ?? []))
    } catch (error) {
      // A request that the contract refuses is its own asker's trouble alone.
      const mayBeOneOf = some.length > 1 && error instanceof AppError && error.status === 'INVALID_ARGUMENT'
      for (const one of some) {
        if (mayBeOneOf) one.asAsker(() => fetch([...one.keys])).then(one.resolve, one.reject)
        else one.reject(error)
      }
    } finally {
      underway -= 1
      if (waiting.length) send()
    }
  }
  const send = () => {
    clearTimeout(timer)
    timer = undefined
    const ready = waiting
    waiting = []
    let some: Waiting<Item>[] = []
    let keys = new Set<string>()
    for (const one of ready) {
      const together = new Set([...keys, ...one.keys])
      if (some.length && together.size > most) {
        void answer(some, [...keys])
        some = []
        keys = new Set(one.keys)
      } else keys = together
      some.push(one)
    }
    void answer(some, [...keys])
  }
  return async (request) => {
    const inHand = held.find(request[fields.keys] ?? [])
    if (inHand) return { [fields.items]: inHand } as { [field in Items]: Item[] }
    const call = currentCall()
    let late: NodeJS.Timeout | undefined
    const items = await new Promise<Item[]>((resolve, reject) => {
      const giveUp = () => reject(new AppError('DEADLINE_EXCEEDED', 'deadline_exceeded', 'no answer in time'))
      if (call) late = setTimeout(giveUp, call.deadline - Date.now() - HOP_MS)
      waiting.push({ keys: request[fields.keys] ?? [], asAsker: AsyncLocalStorage.snapshot(), resolve, reject })
      if (underway === 0) send()
      else timer ??= setTimeout(send, MAX_WAIT_MS)
    }).finally(() => clearTimeout(late))
    return { [fields.items]: items } as { [field in Items]: Item[] }
  }
}

/** Items by key for `holdMs` after they were asked for. */
function createHeld<Item>(holdMs: number) {
  const all = new Map<string, { item: Item; until: number }>()
  return {
    /** The items of all these keys, or nothing. */
    find(keys: readonly string[]): Item[] | undefined {
      const now = performance.now()
      const items: Item[] = []
      for (const key of keys) {
        const one = all.get(key)
        if (!one || one.until <= now) return undefined
        items.push(one.item)
      }
      return items
    },
    keep(items: ReadonlyMap<string, Item>, askedAt: number) {
      if (holdMs === 0) return
      for (const [key, item] of items) {
        // Set anew, so that the first ones are the oldest.
        all.delete(key)
        all.set(key, { item, until: askedAt + holdMs })
      }
      const now = performance.now()
      for (const [key, { until }] of all) {
        if (until > now) break
        all.delete(key)
      }
    },
  }
}

import { Agent, request } from 'node:http'
import { type Kind, MIX, type Order, type Report, type Request, type Second, type Supply } from './plan.ts'

// A process of its own, so that the load does not slow down whoever measures. Open loop: requests leave at their time,
// whether or not the ones before were answered.

const HANGS_MS = 20_000
const TICK_MS = 4
const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY, noDelay: true })
let url = ''
let supply: Supply
const next: Record<Kind, number> = { product: 0, list: 0, cart: 0, summary: 0, order: 0 }

const turn: Kind[] = spread(MIX)
let turns = 0

process.on('message', (order: Order) => {
  if ('supply' in order) {
    url = order.supply.url
    supply = order.supply.requests
    process.send!('ready')
  } else void run(order.phase).then((report) => process.send!(report))
})

async function run({ perSecond, seconds }: { perSecond: number; seconds: number }): Promise<Report> {
  const buckets: Second[] = Array.from({ length: seconds }, () => ({
    offered: 0,
    good: {},
    other: {},
    goodMs: [],
    refusedMs: [],
    withoutRetryAfter: 0,
  }))
  const open = new Set<Promise<void>>()
  const started = performance.now()
  let sent = 0
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const elapsed = performance.now() - started
      const due = Math.min(perSecond * seconds, Math.floor((elapsed / 1000) * perSecond))
      for (; sent < due; sent += 1) {
        const one = send(buckets[Math.floor(sent / perSecond)]!)
        open.add(one)
        void one.finally(() => open.delete(one))
      }
      if (sent < perSecond * seconds) return
      clearInterval(timer)
      resolve()
    }, TICK_MS)
  })
  await Promise.all(open)
  return { seconds: buckets, ordersLeft: supply.order.length }
}

/** Sends what is next in the mix. */
async function send(bucket: Second): Promise<void> {
  let kind = turn[turns++ % turn.length]!
  // Whoever has nothing left to order looks at a product.
  if (kind === 'order' && supply.order.length === 0) kind = 'product'
  const list = supply[kind]
  const what = kind === 'order' ? list.shift()! : list[next[kind]++ % list.length]!
  bucket.offered += 1
  const began = performance.now()
  const { status, retryAfter, code } = await ask(what)
  const ms = performance.now() - began
  if (status >= 200 && status < 300) {
    bucket.good[kind] = (bucket.good[kind] ?? 0) + 1
    bucket.goodMs.push(ms)
    return
  }
  // An order that was not taken is sent again some time, with the same key.
  if (kind === 'order') list.push(what)
  const name = status === 0 ? code : `${status} ${code}`
  bucket.other[name] = (bucket.other[name] ?? 0) + 1
  if (status !== 429 && status !== 503) return
  bucket.refusedMs.push(ms)
  if (!retryAfter) bucket.withoutRetryAfter += 1
}

function ask({ method, path, headers, body }: Request): Promise<{ status: number; retryAfter: boolean; code: string }> {
  return new Promise((resolve) => {
    const sending = request(`${url}${path}`, { method, agent, headers, timeout: HANGS_MS }, (answer) => {
      const status = answer.statusCode!
      const retryAfter = answer.headers['retry-after'] !== undefined
      // Only the body of a refusal is of interest.
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => status >= 300 && chunks.push(chunk))
      answer.on('end', () => {
        const code = /"code":"(\w+)"/.exec(Buffer.concat(chunks).toString())?.[1] ?? ''
        resolve({ status, retryAfter, code })
      })
      answer.on('error', () => resolve({ status: 0, retryAfter: false, code: 'cut off' }))
    })
    sending.on('timeout', () => sending.destroy(new Error('hung')))
    sending.on('error', (error: NodeJS.ErrnoException) =>
      resolve({ status: 0, retryAfter: false, code: error.code ?? error.message }),
    )
    sending.end(body)
  })
}

/** The kinds in turn, each as often as its part says and spread evenly. */
function spread(mix: Record<Kind, number>): Kind[] {
  const debts = Object.entries(mix).map(([kind, part]) => ({ kind: kind as Kind, part, debt: 0 }))
  return Array.from({ length: 100 }, () => {
    for (const each of debts) each.debt += each.part
    debts.sort((a, b) => b.debt - a.debt)
    debts[0]!.debt -= 100
    return debts[0]!.kind
  })
}

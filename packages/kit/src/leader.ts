import type { Redis } from 'ioredis'
import { type Db, MongoServerError } from 'mongodb'
import { newId } from './id.ts'
import type { PgSession } from './pg-session.ts'

/** Decides which of several instances of a service may do something. Leadership is kept until it is lost or closed. */
export type Leadership = {
  /** A signal that aborts when this process no longer leads `name`; undefined when another one does. */
  lead(name: string): Promise<AbortSignal | undefined>
  /** Gives all up, so that another instance can take over at once. */
  close(): Promise<void>
}

/** Leadership by session advisory locks: PostgreSQL gives them up the moment the connection ends. */
export function pgLeadership(session: PgSession): Leadership {
  const held = new Map<string, AbortController>()
  const asking = new Map<string, Promise<AbortSignal | undefined>>()
  session.onLost(() => {
    for (const leader of held.values()) leader.abort(new Error('leadership lost'))
    held.clear()
  })
  const ask = async (name: string) => {
    const { client } = session
    if (!client) return undefined
    const { rows } = await client.query<{ ok: boolean }>('select pg_try_advisory_lock(hashtextextended($1, 0)) as ok', [
      name,
    ])
    if (!rows[0]?.ok || session.client !== client) return undefined
    const leader = new AbortController()
    held.set(name, leader)
    return leader.signal
  }
  return {
    async lead(name) {
      const leader = held.get(name)
      if (leader) return leader.signal
      // Locks of one session are counted; asking once at a time keeps the count at one.
      const answer = asking.get(name) ?? ask(name).finally(() => asking.delete(name))
      asking.set(name, answer)
      return answer
    },
    async close() {
      const names = [...held.keys()]
      held.clear()
      for (const name of names)
        await session.client?.query('select pg_advisory_unlock(hashtextextended($1, 0))', [name]).catch(() => undefined)
    },
  }
}

const LEASE_MS = 30_000

/** A store that can keep a name for an owner until a time limit passes. */
type LeaseStore = {
  /** Takes or prolongs the lease; false when somebody else holds it. */
  take(name: string, owner: string, ms: number): Promise<boolean>
  release(name: string, owner: string): Promise<void>
}

/** Leadership by leases that are prolonged while held; a process that dies loses them after `leaseMs`. */
export function leaseLeadership(store: LeaseStore, leaseMs: number = LEASE_MS): Leadership {
  const owner = newId()
  const held = new Map<string, { leader: AbortController; until: number }>()
  const lose = (name: string) => {
    held.get(name)?.leader.abort(new Error('leadership lost'))
    held.delete(name)
  }
  const prolong = async (name: string, lease: { until: number }) => {
    const asked = Date.now()
    const kept = await store.take(name, owner, leaseMs).catch(() => undefined)
    if (kept) lease.until = asked + leaseMs
    else if (kept === false || Date.now() > lease.until - leaseMs / 2) lose(name)
  }
  const timer = setInterval(() => {
    for (const [name, lease] of held) void prolong(name, lease)
  }, leaseMs / 3)
  return {
    async lead(name) {
      const lease = held.get(name)
      if (lease) return lease.leader.signal
      const asked = Date.now()
      if (!(await store.take(name, owner, leaseMs))) return undefined
      const leader = new AbortController()
      held.set(name, { leader, until: asked + leaseMs })
      return leader.signal
    },
    async close() {
      clearInterval(timer)
      const names = [...held.keys()]
      held.clear()
      for (const name of names) await store.release(name, owner).catch(() => undefined)
    },
  }
}

const DUPLICATE_KEY = 11000

/** Lease documents `{ _id, owner, expiresAt }`; the conditional upsert collides on `_id` when another owner's lease runs. */
export function mongoLeases(db: Db): LeaseStore {
  const leases = db.collection<{ _id: string; owner: string; expiresAt: Date }>('leases')
  return {
    async take(name, owner, ms) {
      const now = Date.now()
      try {
        await leases.updateOne(
          { _id: name, $or: [{ owner }, { expiresAt: { $lt: new Date(now) } }] },
          { $set: { owner, expiresAt: new Date(now + ms) } },
          { upsert: true },
        )
        return true
      } catch (error) {
        if (error instanceof MongoServerError && error.code === DUPLICATE_KEY) return false
        throw error
      }
    },
    async release(name, owner) {
      await leases.deleteOne({ _id: name, owner })
    },
  }
}

const TAKE = `local o = redis.call('get', KEYS[1])
if o and o ~= ARGV[1] then return 0 end
redis.call('set', KEYS[1], ARGV[1], 'px', ARGV[2])
return 1`
const RELEASE = `if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0`

/** Leases as Redis keys with a time limit. Redis may lose them in a failover: for jobs that bear running twice. */
export function redisLeases(redis: Redis): LeaseStore {
  return {
    take: async (name, owner, ms) => (await redis.eval(TAKE, 1, `lease:${name}`, owner, ms)) === 1,
    release: async (name, owner) => void (await redis.eval(RELEASE, 1, `lease:${name}`, owner)),
  }
}

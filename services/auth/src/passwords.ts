import { randomBytes } from 'node:crypto'
import { unavailable } from '@haat/kit/errors'
import { deriveKey } from '@haat/kit/seal'
import { hash, parseOptions, verify } from '@node-rs/argon2'
import type { Secret } from './domain/secrets.ts'

/** Argon2id of passwords, off the main thread, a few at a time. */
export type Passwords = {
  hash(password: string): Promise<string>
  /**
   * Compares a password with a stored hash. Without one (nobody has that e-mail) it takes the same time and answers no.
   * `isStale`: right, but made with other parameters or another pepper than today's.
   */
  verify(stored: string | null | undefined, password: string): Promise<{ ok: boolean; isStale: boolean }>
}

// 100 waiting at 30 a second is as long as a caller waits; more would only work for callers who are gone.
const MAX_WAITING = 100

export async function createPasswords(options: {
  memoryKib: number
  passes: number
  lanes: number
  concurrency: number
  peppers: readonly Secret[]
}): Promise<Passwords> {
  const cost = { memoryCost: options.memoryKib, timeCost: options.passes, parallelism: options.lanes }
  const peppers = new Map(options.peppers.map(({ id, value }) => [id, deriveKey(value, 'haat.auth.pepper')]))
  const currentId = options.peppers[0]?.id ?? ''
  const withPepper = (id: string) => {
    const secret = peppers.get(id)
    return secret ? { secret } : {}
  }
  const limited = semaphore(options.concurrency)
  // Argon2id is the library's default; its enum is ambient and cannot be named here.
  const make = async (password: string) =>
    `${currentId}${await limited(() => hash(password, { ...cost, ...withPepper(currentId) }))}`
  const nobody = await make(randomBytes(32).toString('base64url'))

  return {
    hash: make,
    async verify(stored, password) {
      const found = stored ? split(stored) : undefined
      const known = found && (found.pepperId === '' || peppers.has(found.pepperId)) ? found : undefined
      const { pepperId, phc } = known ?? split(nobody)
      const matches = await limited(() => verify(phc, password, withPepper(pepperId)))
      const made = parseOptions(phc)
      const isStale =
        pepperId !== currentId ||
        made.memoryCost !== cost.memoryCost ||
        made.timeCost !== cost.timeCost ||
        made.parallelism !== cost.parallelism
      return { ok: matches && known !== undefined, isStale }
    },
  }
}

const split = (stored: string) => {
  const at = stored.indexOf('$')
  return { pepperId: stored.slice(0, at), phc: stored.slice(at) }
}

/** Runs at most `limit` at once, the others in the order they came. */
function semaphore(limit: number) {
  const waiting: (() => void)[] = []
  let running = 0
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (running >= limit) {
      if (waiting.length >= MAX_WAITING) throw unavailable('auth_overloaded', 'too many sign-ins at once, try again')
      await new Promise<void>((resolve) => waiting.push(resolve))
    } else running++
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else running--
    }
  }
}

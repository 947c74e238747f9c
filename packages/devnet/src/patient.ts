import { setTimeout as pause } from 'node:timers/promises'
import { ApiError } from '@haat/client'

const PAUSES_MS = [200, 1000, 3000, 5000]

/** Does what may be repeated again when the marketplace is too busy to answer. */
export async function patient<Answer>(work: () => Promise<Answer>): Promise<Answer> {
  for (const ms of PAUSES_MS)
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof ApiError && error.status >= 503)) throw error
      await pause(ms)
    }
  return work()
}

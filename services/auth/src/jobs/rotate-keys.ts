import { job } from '@haat/kit/jobs'
import type { AuthContext } from '../context.ts'

/** Publishes the next signing key in time and removes those whose tokens have all expired. */
export const rotateKeys = job<AuthContext>('rotate-keys', {
  everySeconds: 300,
  leader: true,
  run: (ctx) => ctx.keys.rotate(),
})

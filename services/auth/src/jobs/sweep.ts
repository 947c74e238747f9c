import { job } from '@haat/kit/jobs'
import type { AuthContext } from '../context.ts'

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000
/** Sessions that ended are kept this long, for questions about them. */
const KEEP_SESSIONS_MS = 7 * DAY_MS

/** Deletes what has no use any more: it is personal data. */
export const sweep = job<AuthContext>('sweep', {
  everySeconds: 3600,
  leader: true,
  async run({ db, now }) {
    const before = (ms: number) => new Date(now().getTime() - ms)
    const sessionsBefore = before(KEEP_SESSIONS_MS)
    await db
      .deleteFrom('sessions')
      .where((eb) => eb.or([eb('expires_at', '<', sessionsBefore), eb('revoked_at', '<', sessionsBefore)]))
      .execute()
    await db
      .updateTable('refresh_tokens')
      .set({ successor_sealed: null })
      .where('successor_sealed', 'is not', null)
      .where('used_at', '<', before(MINUTE_MS))
      .execute()
    await db.deleteFrom('password_resets').where('expires_at', '<', now()).execute()
    await db.deleteFrom('email_verifications').where('expires_at', '<', now()).execute()
    await db.deleteFrom('throttles').where('last_at', '<', before(DAY_MS)).execute()
  },
})

import { emit } from '@haat/kit/events/emit'
import { newId } from '@haat/kit/id'
import type { Transaction } from '@haat/kit/postgres'
import { UserEmailVerificationRequested } from '@haat/proto/auth/v1/events'
import type { Database } from '../db/schema.ts'
import { hashOf, newToken } from '../domain/secrets.ts'

const VERIFICATION_MS = 24 * 3_600_000

/** Has a link mailed that confirms an address. */
export async function mailVerification(
  tx: Transaction<Database>,
  user: { id: string; email: string; name: string; locale: string },
  now: Date,
): Promise<void> {
  const token = newToken()
  const expiresAt = new Date(now.getTime() + VERIFICATION_MS)
  await tx
    .insertInto('email_verifications')
    .values({
      id: newId(now.getTime()),
      user_id: user.id,
      token_hash: hashOf(token),
      created_at: now,
      expires_at: expiresAt,
      used_at: null,
    })
    .execute()
  const { id: userId, email, name, locale } = user
  await emit(tx, UserEmailVerificationRequested, { userId, email, name, locale, token, expiresAt })
}

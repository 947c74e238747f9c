import type { Call } from '@haat/kit/call'
import { conflict } from '@haat/kit/errors'
import { emit } from '@haat/kit/events/emit'
import { newId } from '@haat/kit/id'
import { sql, violatedConstraint } from '@haat/kit/postgres'
import type { RegisterRequest, RegisterResponse } from '@haat/proto/auth/v1/auth'
import { UserCreated } from '@haat/proto/auth/v1/events'
import type { AuthContext } from '../context.ts'
import { CUSTOMER } from '../db/roles.ts'
import { insertSession } from '../db/sessions.ts'
import { throttleKey, use } from '../db/throttles.ts'
import { findUserByEmail, getUser, normalEmail, toUser } from '../db/users.ts'
import { clientAddress } from './client-address.ts'
import { mailVerification } from './mail-verification.ts'
import { checkNewPassword } from './new-password.ts'
import { sessionTokens } from './session-tokens.ts'

export async function register(ctx: AuthContext, request: RegisterRequest, call: Call): Promise<RegisterResponse> {
  const email = normalEmail(request.email)
  const name = request.name.trim() || request.name
  const locale = request.locale ?? 'en'
  const { ip, network } = clientAddress(call, request.clientIp)
  if (network) await use(ctx, throttleKey('register', network), ctx.limits.registrationsPerAddress)
  checkNewPassword(ctx, request.password, { email, name })
  if (await findUserByEmail(ctx.db, email)) throw emailTaken()

  const passwordHash = await ctx.passwords.hash(request.password)
  const now = ctx.now()
  const id = newId(now.getTime())
  const opened = await ctx.db
    .transaction()
    .execute(async (tx) => {
      await tx
        .insertInto('users')
        .values({
          id,
          email,
          password_hash: passwordHash,
          name,
          locale,
          status: 'pending',
          email_verified_at: null,
          vendor_id: null,
          last_login_at: now,
          forgotten_at: null,
          created_at: now,
          updated_at: now,
        })
        .execute()
      await tx
        .insertInto('user_roles')
        .columns(['user_id', 'role_id'])
        .expression(
          tx
            .selectFrom('roles')
            .select([sql<string>`${id}::uuid`.as('user_id'), 'id'])
            .where('name', '=', CUSTOMER),
        )
        .execute()
      const session = await insertSession(tx, ctx, { userId: id, userAgent: request.userAgent ?? '', ip })
      await emit(tx, UserCreated, { userId: id, email, name, phone: request.phone, locale, createdAt: now })
      await mailVerification(tx, { id, email, name, locale }, now)
      return { session, user: await getUser(tx, id) }
    })
    .catch((error) => {
      // Two registrations of one address at the same moment.
      throw violatedConstraint(error) === 'users_email_key' ? emailTaken() : error
    })
  return { user: toUser(opened.user), tokens: await sessionTokens(ctx, opened.user, opened.session) }
}

const emailTaken = () => conflict('email_taken', 'there is an account with this e-mail address')

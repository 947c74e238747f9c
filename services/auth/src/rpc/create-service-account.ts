import { conflict } from '@haat/kit/errors'
import { newId } from '@haat/kit/id'
import type { CreateServiceAccountRequest, CreateServiceAccountResponse } from '@haat/proto/auth/v1/auth'
import type { AuthContext } from '../context.ts'
import { checkPermissionKeys } from '../db/roles.ts'
import { hashOf, newToken } from '../domain/secrets.ts'
import { toServiceAccount } from './list-service-accounts.ts'

export async function createServiceAccount(
  ctx: AuthContext,
  request: CreateServiceAccountRequest,
): Promise<CreateServiceAccountResponse> {
  await checkPermissionKeys(ctx.db, request.permissions)
  const clientSecret = newToken()
  const now = ctx.now()
  const row = await ctx.db
    .insertInto('service_accounts')
    .values({
      id: newId(now.getTime()),
      name: request.name,
      kind: 'tool',
      secret_hashes: [hashOf(clientSecret)],
      permissions: [...request.permissions].sort(),
      created_at: now,
      last_used_at: null,
      revoked_at: null,
    })
    .onConflict((c) => c.column('name').doNothing())
    .returningAll()
    .executeTakeFirst()
  if (!row) throw conflict('service_account_exists', 'this name is taken')
  return { serviceAccount: toServiceAccount(row), clientSecret }
}

import { invalid } from '@haat/kit/errors'
import type { AuthContext } from '../context.ts'
import { missedRules, type Person } from '../domain/password-policy.ts'

/** INVALID_ARGUMENT `password_weak`; `details.rules` lists what PASSWORD_POLICY misses. */
export function checkNewPassword(ctx: AuthContext, password: string, person: Person): void {
  const rules = missedRules(ctx.passwordPolicy, password, person)
  if (rules.length) throw invalid('password_weak', 'the password does not meet the policy', { rules })
}

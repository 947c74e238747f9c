import type { NotificationContext } from '../context.ts'
import { toLocale } from '../domain/locale.ts'
import { hasLeft, type Known, loadPeople, rememberPeople } from './people.ts'

const BATCH = 200

/**
 * `known` people with their addresses: what events have told, and for the rest what auth (e-mail) and, `withPhone`, profile know.
 * Calls neighbours, so never inside a transaction. Somebody without an account has no `person`.
 */
export async function resolvePeople(
  ctx: NotificationContext,
  known: Map<string, Known>,
  wanted: { userId: string; withPhone: boolean }[],
): Promise<Map<string, Known>> {
  const ids = [...new Set(wanted.map(({ userId }) => userId))]
  const lacks = (id: string, field: 'email' | 'phone') => {
    const entry = known.get(id)!
    return !hasLeft(entry) && !entry.person?.[field]
  }
  const noEmail = ids.filter((id) => lacks(id, 'email'))
  const noPhone = [...new Set(wanted.filter((w) => w.withPhone && lacks(w.userId, 'phone')).map((w) => w.userId))]
  if (noEmail.length === 0 && noPhone.length === 0) return known

  const asked = [...new Set([...noEmail, ...noPhone])]
  for (let i = 0; i < asked.length; i += BATCH) {
    const userIds = asked.slice(i, i + BATCH)
    const phoneIds = userIds.filter((id) => noPhone.includes(id))
    const [{ users }, { profiles }] = await Promise.all([
      ctx.auth.batchGetUsers({ userIds }),
      phoneIds.length ? ctx.profile.batchGetProfiles({ userIds: phoneIds }) : { profiles: [] },
    ])
    const phones = new Map(profiles.map((profile) => [profile.userId, profile.phone]))
    await rememberPeople(
      ctx.db,
      users.map(({ id, email, name, locale }) => ({
        userId: id,
        email,
        name,
        locale: toLocale(locale),
        phone: phones.get(id) ?? '',
      })),
    )
  }
  return new Map([...known, ...(await loadPeople(ctx.db, asked))])
}

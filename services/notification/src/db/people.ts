import type { Kysely } from 'kysely'
import type { ChannelName, TopicName } from '../domain/names.ts'
import { NO_WISHES, type Wishes } from '../domain/preferences.ts'
import type { Database, StoredPerson } from './schema.ts'

/** What is known about somebody: `person` is missing for whom no event has told of. */
export type Known = { person: StoredPerson | undefined; wishes: Wishes }

export const NOBODY: Known = { person: undefined, wishes: NO_WISHES }

/**
 * People and what they want to get, by user id; every id asked for has an entry. With `hold` nobody of them can be forgotten
 * before the transaction ends.
 */
export async function loadPeople(
  db: Kysely<Database>,
  userIds: readonly string[],
  { hold = false } = {},
): Promise<Map<string, Known>> {
  const ids = [...new Set(userIds)]
  if (ids.length === 0) return new Map()
  const rows = db.selectFrom('people').selectAll().where('user_id', 'in', ids)
  const people = await (hold ? rows.forShare() : rows).execute()
  const preferences = await db.selectFrom('preferences').selectAll().where('user_id', 'in', ids).execute()
  return new Map(
    ids.map((id) => {
      const person = people.find((row) => row.user_id === id)
      const explicit = new Map<`${TopicName}:${ChannelName}`, boolean>()
      for (const row of preferences) if (row.user_id === id) explicit.set(`${row.topic}:${row.channel}`, row.enabled)
      return [id, { person, wishes: { marketingOptIn: person?.marketing_opt_in ?? false, explicit } }]
    }),
  )
}

/** Stores what auth and profile answered, without undoing what events have told meanwhile. */
export async function rememberPeople(
  db: Kysely<Database>,
  people: readonly { userId: string; email: string; name: string; locale: 'en' | 'bn'; phone: string }[],
): Promise<void> {
  if (people.length === 0) return
  await db
    .insertInto('people')
    .values(people.map(({ userId, ...rest }) => ({ user_id: userId, ...rest })))
    .onConflict((c) =>
      c
        .column('user_id')
        .doUpdateSet((eb) => ({
          email: eb.ref('excluded.email'),
          name: eb.fn.coalesce(eb.fn('nullif', ['people.name', eb.val('')]), 'excluded.name') as never,
          phone: eb.fn.coalesce(eb.fn('nullif', ['people.phone', eb.val('')]), 'excluded.phone') as never,
        }))
        .where('people.forgotten_at', 'is', null),
    )
    .execute()
}

/** Whether somebody has left. */
export const hasLeft = ({ person }: Known): boolean => person !== undefined && person.forgotten_at !== null

import type { Preference } from '@haat/proto/notification/v1/notification'
import type { Kysely } from 'kysely'
import { type ChannelName, channels, type TopicName, topics } from '../domain/names.ts'
import { wants } from '../domain/preferences.ts'
import { loadPeople } from './people.ts'
import type { Database } from './schema.ts'

/** What a person gets, defaults included: one entry per topic and channel. */
export async function listPreferences(db: Kysely<Database>, userId: string): Promise<Preference[]> {
  const { wishes } = (await loadPeople(db, [userId])).get(userId)!
  return topics.names.flatMap((topic) =>
    channels.names.map((channel) => ({
      topic: topics.fromName(topic),
      channel: channels.fromName(channel),
      enabled: wants(wishes, topic as TopicName, channel as ChannelName),
    })),
  )
}

/** Notes what a person wants; the last of several entries for one topic and channel counts. */
export async function storePreferences(
  db: Kysely<Database>,
  userId: string,
  wishes: readonly { topic: TopicName; channel: ChannelName; enabled: boolean }[],
  at: Date,
): Promise<void> {
  const last = new Map(wishes.map((wish) => [`${wish.topic}:${wish.channel}`, wish]))
  // Account messages always go out, so nothing is kept about them.
  const rows = [...last.values()].filter(({ topic }) => topic !== 'account')
  if (rows.length === 0) return
  await db
    .insertInto('preferences')
    .values(rows.map(({ topic, channel, enabled }) => ({ user_id: userId, topic, channel, enabled, updated_at: at })))
    .onConflict((c) =>
      c.columns(['user_id', 'topic', 'channel']).doUpdateSet((eb) => ({
        enabled: eb.ref('excluded.enabled'),
        updated_at: eb.ref('excluded.updated_at'),
      })),
    )
    .execute()
}

import { newId } from '@haat/kit/id'
import type { Template } from '@haat/proto/notification/v1/notification'
import type { Kysely } from 'kysely'
import { sql } from 'kysely'
import { DEFAULT_LOCALE, type Locale } from '../domain/locale.ts'
import { type ChannelName, channels, type TopicName, topics } from '../domain/names.ts'
import type { Database, StoredTemplate } from './schema.ts'

/** What names a template. */
export type TemplateName = { key: string; channel: ChannelName; locale: Locale }

const named = (db: Kysely<Database>, { key, channel, locale }: TemplateName) =>
  db
    .selectFrom('templates')
    .selectAll()
    .where('key', '=', key)
    .where('channel', '=', channel)
    .where('locale', '=', locale)

/** The version in use, if any. */
export const findCurrent = (db: Kysely<Database>, name: TemplateName): Promise<StoredTemplate | undefined> =>
  named(db, name).where('is_current', '=', true).executeTakeFirst()

/** The versions in use of these templates, for every channel and language. */
export const listCurrent = (db: Kysely<Database>, keys: readonly string[]): Promise<StoredTemplate[]> =>
  db
    .selectFrom('templates')
    .selectAll()
    .where('key', '=', sql<string>`any(${[...new Set(keys)]}::text[])`)
    .where('is_current', '=', true)
    .execute()

/** What `findForLocale` would find, among templates that are read. */
export function pickForLocale(
  templates: readonly StoredTemplate[],
  { key, channel, locale }: TemplateName,
): StoredTemplate | undefined {
  const candidates = templates.filter((template) => template.key === key && template.channel === channel)
  const of = (wanted: Locale) => candidates.find((template) => template.locale === wanted)
  return of(locale) ?? of(DEFAULT_LOCALE)
}

/** The version in use in a language, or else in the default one. */
export async function findForLocale(db: Kysely<Database>, name: TemplateName): Promise<StoredTemplate | undefined> {
  const found = await findCurrent(db, name)
  if (found || name.locale === DEFAULT_LOCALE) return found
  return findCurrent(db, { ...name, locale: DEFAULT_LOCALE })
}

/** One version, in use or not. */
export const findVersion = (
  db: Kysely<Database>,
  name: TemplateName,
  version: number,
): Promise<StoredTemplate | undefined> => named(db, name).where('version', '=', version).executeTakeFirst()

/** Makes writers of one template take turns until the transaction ends. */
export const lockTemplate = (tx: Kysely<Database>, { key, channel, locale }: TemplateName) =>
  sql`select pg_advisory_xact_lock(hashtextextended(${`template:${key}:${channel}:${locale}`}, 0))`.execute(tx)

/** Writes a new version, which is used from then on. The caller holds the template's lock. */
export async function insertVersion(
  tx: Kysely<Database>,
  name: TemplateName,
  content: {
    subject: string
    body_md: string
    topic: TopicName
    confidential: boolean
    built_in: boolean
    created_by: string | null
  },
): Promise<StoredTemplate> {
  await retire(tx, name)
  const { last } = await tx
    .selectFrom('templates')
    .select((eb) => eb.fn.coalesce(eb.fn.max('version'), eb.val(0)).as('last'))
    .where('key', '=', name.key)
    .where('channel', '=', name.channel)
    .where('locale', '=', name.locale)
    .executeTakeFirstOrThrow()
  return tx
    .insertInto('templates')
    .values({ id: newId(), ...name, ...content, version: last + 1, is_current: true })
    .returningAll()
    .executeTakeFirstOrThrow()
}

/** Takes the version in use out of use. */
export const retire = (tx: Kysely<Database>, name: TemplateName) =>
  tx
    .updateTable('templates')
    .set({ is_current: false })
    .where('key', '=', name.key)
    .where('channel', '=', name.channel)
    .where('locale', '=', name.locale)
    .where('is_current', '=', true)
    .execute()

export const toTemplate = (row: StoredTemplate): Template => ({
  id: row.id,
  key: row.key,
  channel: channels.fromName(row.channel),
  locale: row.locale,
  version: row.version,
  subject: row.subject,
  bodyMd: row.body_md,
  topic: topics.fromName(row.topic),
  confidential: row.confidential,
  isCurrent: row.is_current,
  builtIn: row.built_in,
  createdBy: row.created_by ?? '',
  createdAt: row.created_at,
})

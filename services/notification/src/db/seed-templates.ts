import { readdir, readFile } from 'node:fs/promises'
import type { Kysely } from 'kysely'
import { findBuiltIn } from '../domain/built-in.ts'
import { type Locale, toLocale } from '../domain/locale.ts'
import type { ChannelName } from '../domain/names.ts'
import type { Database } from './schema.ts'
import { findCurrent, insertVersion, lockTemplate, type TemplateName } from './templates.ts'

/** A text that comes with Haat. */
export type Shipped = TemplateName & { subject: string; body_md: string }

const FOLDER = new URL('../../templates/', import.meta.url)
const LOCALES: Locale[] = ['en', 'bn']

/** Reads templates/<locale>/<key>.<channel>.md. */
export async function readShipped(): Promise<Shipped[]> {
  const shipped: Shipped[] = []
  for (const locale of LOCALES)
    for (const file of (await readdir(new URL(`${locale}/`, FOLDER))).sort()) {
      const match = /^([a-z_]+)\.(email|sms|push)\.md$/.exec(file)
      if (!match) continue
      const text = await readFile(new URL(`${locale}/${file}`, FOLDER), 'utf8')
      const [, subject = '', body = text] = /^---\nsubject: (.*)\n---\n([\s\S]*)$/.exec(text) ?? []
      const [, key, channel] = match as unknown as [string, string, ChannelName]
      shipped.push({ key, channel, locale: toLocale(locale), subject, body_md: body.trim() })
    }
  return shipped
}

/** Puts a shipped text in use. */
export async function insertShipped(tx: Kysely<Database>, { key, channel, locale, subject, body_md }: Shipped) {
  const builtIn = findBuiltIn(key)
  if (!builtIn) throw new Error(`templates/${locale}/${key}.${channel}.md belongs to no built-in template`)
  return insertVersion(
    tx,
    { key, channel, locale },
    {
      subject,
      body_md,
      topic: builtIn.topic,
      confidential: builtIn.confidential ?? false,
      built_in: true,
      created_by: null,
    },
  )
}

/** Brings templates that nobody edited up to the texts of this release; edited ones stay as they are. */
export async function seedTemplates(db: Kysely<Database>, shipped: readonly Shipped[]): Promise<void> {
  const rows = await db.selectFrom('templates').selectAll().where('is_current', '=', true).execute()
  const isSettled = (text: Shipped, row = rows.find((r) => isSameName(r, text))) =>
    row !== undefined && (!row.built_in || (row.subject === text.subject && row.body_md === text.body_md))
  const changed = shipped.filter((text) => !isSettled(text))
  if (changed.length === 0) return
  await db.transaction().execute(async (tx) => {
    // Sorted by name above, so that instances which start together wait for each other and never for ever.
    for (const text of changed) {
      await lockTemplate(tx, text)
      if (!isSettled(text, await findCurrent(tx, text))) await insertShipped(tx, text)
    }
  })
}

const isSameName = (a: TemplateName, b: TemplateName) =>
  a.key === b.key && a.channel === b.channel && a.locale === b.locale

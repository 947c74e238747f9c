import { createHash } from 'node:crypto'
import type { Call } from '@haat/kit/call'
import { conflict, failedPrecondition, invalid, invalidFields, notFound } from '@haat/kit/errors'
import { newId } from '@haat/kit/id'
import { SendRequest, type SendResponse } from '@haat/proto/notification/v1/notification'
import type { Insertable } from 'kysely'
import type { NotificationContext } from '../context.ts'
import { composeMessage } from '../db/compose-message.ts'
import { addressRecipient, listSubscriptions, payloadOf, toMessage } from '../db/messages.ts'
import { hasLeft, type Known, loadPeople, NOBODY } from '../db/people.ts'
import { resolvePeople } from '../db/resolve-people.ts'
import type { MessageRow, StoredMessage, StoredTemplate } from '../db/schema.ts'
import { findForLocale } from '../db/templates.ts'
import { DEFAULT_LOCALE, toLocale } from '../domain/locale.ts'
import { type ChannelName, channels } from '../domain/names.ts'
import { priorityOf, wants } from '../domain/preferences.ts'
import type { Payload } from '../domain/values.ts'

const MAX_PAYLOAD_BYTES = 64 * 1024

/** Where one copy of the message goes. */
type Target = { to: string; recipient: string }

export async function send(ctx: NotificationContext, request: SendRequest, _call: Call): Promise<SendResponse> {
  const payload: Payload = request.payload ?? {}
  const payloadJson = JSON.stringify(payload)
  if (Buffer.byteLength(payloadJson) > MAX_PAYLOAD_BYTES)
    throw invalidFields([{ field: 'payload', rule: 'max_bytes', message: `at most ${MAX_PAYLOAD_BYTES} bytes` }])
  const hash = createHash('sha256').update(SendRequest.encode(request).finish()).digest('hex')
  const earlier = await findByKey(ctx, request.dedupeKey, hash)
  if (earlier) return answer(ctx, earlier)

  const channel = channels.toName(request.channel)
  const userId = request.to?.$case === 'userId' ? request.to.value : undefined
  const known = userId ? await findPerson(ctx, userId, channel) : NOBODY
  const locale = request.locale ? toLocale(request.locale) : (known.person?.locale ?? DEFAULT_LOCALE)
  const template = await findForLocale(ctx.db, { key: request.templateKey, channel, locale })
  if (!template) throw notFound('template_not_found', 'no such template for this channel')
  const isWanted = !hasLeft(known) && wants(known.wishes, template.topic, channel)
  const targets = hasLeft(known) ? [{ to: '', recipient: `user:${userId}` }] : await findTargets(ctx, request, known)

  const written = write(ctx, template, { userId, payload, name: known.person?.name })
  const base: Omit<Insertable<MessageRow>, 'id' | 'to' | 'recipient' | 'dedupe_key'> = {
    template_key: template.key,
    template_version: template.version,
    channel,
    locale: template.locale,
    topic: template.topic,
    confidential: template.confidential,
    user_id: userId ?? null,
    payload_json: hasLeft(known) ? '{}' : payloadJson,
    ...(isWanted && {
      subject: written.subject,
      body_html: written.html,
      body_text: written.text,
      link: written.link,
    }),
    status: isWanted ? 'queued' : 'suppressed',
    priority: priorityOf(template.topic),
    next_attempt_at: isWanted ? ctx.now() : null,
    request_hash: hash,
    created_at: ctx.now(),
  }
  // Several browsers get a copy each; the first copy carries the caller's key and answers for all.
  const rows = targets.map((target, i) => ({
    ...base,
    ...target,
    id: newId(ctx.now().getTime()),
    dedupe_key: i === 0 ? keyOf(request.dedupeKey) : `${keyOf(request.dedupeKey)}#${target.recipient}`,
  }))
  await ctx.db
    .insertInto('messages')
    .values(rows)
    .onConflict((c) => c.column('dedupe_key').doNothing())
    .execute()
  ctx.runSoon('send-messages')
  const stored = await findByKey(ctx, request.dedupeKey, hash)
  if (!stored) throw new Error('a message that was just stored is gone')
  return answer(ctx, stored)
}

const answer = ({ showsSecrets }: NotificationContext, row: StoredMessage): SendResponse => ({
  message: toMessage(row, { includeBody: false, showsSecrets }),
})

/** Apart from the keys of messages that events cause. */
const keyOf = (dedupeKey: string) => `send:${dedupeKey}`

async function findByKey(ctx: NotificationContext, key: string, hash: string): Promise<StoredMessage | undefined> {
  const row = await ctx.db.selectFrom('messages').selectAll().where('dedupe_key', '=', keyOf(key)).executeTakeFirst()
  if (row && row.request_hash !== hash)
    throw conflict('idempotency_key_reused', 'this dedupe_key was used for another message')
  return row
}

async function findPerson(ctx: NotificationContext, userId: string, channel: ChannelName): Promise<Known> {
  const people = await resolvePeople(ctx, await loadPeople(ctx.db, [userId]), [
    { userId, withPhone: channel === 'sms' },
  ])
  const known = people.get(userId)!
  if (!known.person) throw notFound('user_not_found', 'no such user')
  return known
}

async function findTargets(ctx: NotificationContext, { to, channel }: SendRequest, known: Known): Promise<Target[]> {
  const missing = () => failedPrecondition('recipient_missing', 'the recipient has no address for this channel')
  const name = channels.toName(channel)
  if (to?.$case === 'userId') {
    if (name === 'push') {
      const subscriptions = await listSubscriptions(ctx.db, to.value)
      if (subscriptions.length === 0) throw missing()
      return subscriptions.map(({ id, endpoint }) => ({ to: endpoint, recipient: `push:${id}` }))
    }
    const address = name === 'sms' ? known.person?.phone : known.person?.email
    if (!address) throw missing()
    return [{ to: address, recipient: `user:${to.value}` }]
  }
  if (!to || (to.$case === 'email' ? 'email' : 'sms') !== name) throw missing()
  return [{ to: to.value, recipient: addressRecipient(to.value) }]
}

function write(
  ctx: NotificationContext,
  template: StoredTemplate,
  message: { userId: string | undefined; payload: Payload; name: string | undefined },
) {
  const payload = payloadOf({ payload_json: message.payload }, message.name)
  const written = composeMessage(ctx, template, { topic: template.topic, userId: message.userId, payload })
  if (written.missing.length)
    throw invalid('template_variable_missing', `the template needs ${written.missing.join(', ')}`, {
      variables: written.missing,
    })
  return written
}

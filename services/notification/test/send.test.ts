import { newId } from '@haat/kit/id'
import { Channel, MessageStatus, type SendRequest, Topic } from '@haat/proto/notification/v1/notification'
import { UserForgotten } from '@haat/proto/profile/v1/events'
import { customer, staff } from '@haat/testkit/tokens'
import { expect, test } from 'vitest'
import { ProviderError } from '../src/channels/provider.ts'
import { startHarness } from './harness.ts'

const h = await startHarness()
await h.operator.upsertTemplate({
  key: 'weekly_report',
  channel: Channel.EMAIL,
  locale: 'en',
  subject: 'Report of {{week}}',
  bodyMd: 'Hello {{recipient.name}}\n\nSales: {{sales}}',
  topic: Topic.VENDOR,
})
await h.operator.upsertTemplate({
  key: 'weekly_report',
  channel: Channel.SMS,
  locale: 'bn',
  bodyMd: 'বিক্রি {{sales}}',
  topic: Topic.VENDOR,
})
const report = (to: SendRequest['to'], more: Partial<SendRequest> = {}) => ({
  templateKey: 'weekly_report',
  channel: Channel.EMAIL,
  payload: { week: 'W12', sales: { currency: 'BDT', minor: '123456' } },
  dedupeKey: newId(),
  to,
  ...more,
})

test('a message to a person is queued, and sent to the address auth knows', async () => {
  const user = h.user({ name: 'Karim' })
  const { message } = await h.neighbour.send(report({ $case: 'userId', value: user.id }))
  expect(message).toMatchObject({
    status: MessageStatus.QUEUED,
    to: user.email,
    subject: 'Report of W12',
    userId: user.id,
    topic: Topic.VENDOR,
    bodyText: '',
  })
  await h.work()
  const sent = (await h.operator.getMessage({ messageId: message!.id })).message
  expect(sent).toMatchObject({ status: MessageStatus.SENT, providerId: expect.stringContaining('smtp-') })
  expect(sent?.bodyText).toMatch(/^Hello Karim\n\nSales: BDT\s1,234\.56\n/)
})

test('the same key is the same message, however often and however fast it is sent', async () => {
  const user = h.user()
  const request = report({ $case: 'userId', value: user.id })
  const answers = await Promise.all(Array.from({ length: 10 }, () => h.neighbour.send(request)))
  expect(new Set(answers.map((a) => a.message?.id)).size).toBe(1)
  await h.work()
  expect((await h.neighbour.send(request)).message).toMatchObject({ status: MessageStatus.SENT })
  expect(h.email.sent.filter((m) => m.to === user.email)).toHaveLength(1)
  await expect(h.neighbour.send({ ...request, payload: { week: 'W13', sales: 1 } })).rejects.toMatchObject({
    status: 'ALREADY_EXISTS',
    code: 'idempotency_key_reused',
  })
})

test('a message that cannot be written or addressed is refused at once, and nothing is kept', async () => {
  const user = h.user()
  const to: SendRequest['to'] = { $case: 'userId', value: user.id }
  const nobody: SendRequest['to'] = { $case: 'userId', value: newId() }
  const refusals: [object, object][] = [
    [report(to, { templateKey: 'no_such_thing' }), { status: 'NOT_FOUND', code: 'template_not_found' }],
    [report(nobody), { status: 'NOT_FOUND', code: 'user_not_found' }],
    [
      report(to, { payload: { week: 'W1' } }),
      { status: 'INVALID_ARGUMENT', code: 'template_variable_missing', details: { variables: ['sales'] } },
    ],
    [report(to, { channel: Channel.SMS, locale: 'bn' }), { status: 'FAILED_PRECONDITION', code: 'recipient_missing' }],
    [report({ $case: 'phone', value: '+8801700000000' }), { code: 'recipient_missing' }],
    [report(to, { dedupeKey: 'short' }), { code: 'request_invalid', details: { fields: [{ field: 'dedupe_key' }] } }],
    [report(undefined), { code: 'request_invalid' }],
    [report(to, { payload: { week: 'x'.repeat(70_000), sales: 1 } }), { code: 'request_invalid' }],
  ]
  for (const [request, error] of refusals)
    await expect(h.neighbour.send(request as ReturnType<typeof report>)).rejects.toMatchObject(error)
  expect(await h.list({ userId: user.id })).toEqual([])
})

test('a template without the language falls back to English, and one in it is used', async () => {
  const user = h.user({ locale: 'bn' })
  const { message } = await h.neighbour.send(report({ $case: 'userId', value: user.id }))
  expect(message).toMatchObject({ locale: 'en' })
  h.phones.set(user.id, '+8801711111111')
  const sms = await h.neighbour.send(report({ $case: 'userId', value: user.id }, { channel: Channel.SMS }))
  // Text messages have to be asked for.
  expect(sms.message).toMatchObject({ locale: 'bn', status: MessageStatus.SUPPRESSED, to: '+8801711111111' })
  const direct = await h.neighbour.send(
    report({ $case: 'phone', value: '+8801722222222' }, { channel: Channel.SMS, locale: 'bn' }),
  )
  expect(direct.message).toMatchObject({ status: MessageStatus.SUPPRESSED })
})

test('a bare address gets what is not marketing, without an unsubscribe link', async () => {
  await h.operator.upsertTemplate({
    key: 'spring_sale',
    channel: Channel.EMAIL,
    locale: 'en',
    subject: 'Sale',
    bodyMd: 'Come',
    topic: Topic.MARKETING,
  })
  const address = `${newId()}@mail.test`
  await h.neighbour.send(report({ $case: 'email', value: address }))
  const sale = await h.neighbour.send(
    report({ $case: 'email', value: address }, { templateKey: 'spring_sale', payload: {} }),
  )
  expect(sale.message).toMatchObject({ status: MessageStatus.SUPPRESSED })
  await h.work()
  const mails = h.email.sent.filter((m) => m.to === address)
  expect(mails).toHaveLength(1)
  expect(mails[0]?.unsubscribe).toBeUndefined()
  expect((await h.list({ to: address.toUpperCase() })).map((m) => m.templateKey)).toEqual([
    'spring_sale',
    'weekly_report',
  ])
})

test('a forgotten person is sent nothing', async () => {
  const user = h.user()
  await h.publish(UserForgotten, UserForgotten.fromPartial({ userId: user.id }))
  const { message } = await h.neighbour.send(report({ $case: 'userId', value: user.id }))
  expect(message).toMatchObject({ status: MessageStatus.SUPPRESSED, to: '', subject: '' })
  expect(await h.dump('messages')).not.toContain(user.email)
})

test('account mail overtakes the rest when there is much to send', async () => {
  const crowd = Array.from({ length: 60 }, () => h.user())
  const urgent = h.user()
  h.email.fail(...[...crowd, urgent].map(() => new ProviderError('smtp 421')))
  await Promise.all(crowd.map((user) => h.neighbour.send(report({ $case: 'userId', value: user.id }))))
  const to = { $case: 'userId' as const, value: urgent.id }
  await h.neighbour.send(report(to, { templateKey: 'account_unblocked', payload: {} }))
  await h.work()
  const before = h.email.sent.length
  h.pass(60)
  await h.work()
  const position = h.email.sent.slice(before).findIndex((m) => m.to === urgent.email)
  expect(position).toBeGreaterThanOrEqual(0)
  // Among the first that were taken together.
  expect(position).toBeLessThan(24)
})

test('only services and staff who may send', async () => {
  const user = h.user()
  const request = report({ $case: 'userId', value: user.id })
  await expect(h.anyone.send(request)).rejects.toMatchObject({ status: 'UNAUTHENTICATED' })
  await expect(h.as(await customer()).send(request)).rejects.toMatchObject({ status: 'PERMISSION_DENIED' })
  await expect(h.as(await staff('messages.read')).send(request)).rejects.toMatchObject({ status: 'PERMISSION_DENIED' })
  expect((await h.as(await staff('messages.write')).send(request)).message?.status).toBe(MessageStatus.QUEUED)
  await expect(h.as(await customer()).listMessages({})).rejects.toMatchObject({ status: 'PERMISSION_DENIED' })
  await expect(h.operator.getMessage({ messageId: newId() })).rejects.toMatchObject({ code: 'message_not_found' })
})

test('messages are listed newest first in pages, and by what they are', async () => {
  const user = h.user()
  const ids: string[] = []
  for (let i = 0; i < 5; i++)
    ids.push((await h.neighbour.send(report({ $case: 'userId', value: user.id }))).message!.id)
  const first = await h.operator.listMessages({ userId: user.id, pageSize: 3 })
  const second = await h.operator.listMessages({ userId: user.id, pageSize: 3, pageToken: first.nextPageToken })
  expect([...first.messages, ...second.messages].map((m) => m.id)).toEqual(ids.reverse())
  expect(second.nextPageToken).toBe('')
  const filtered = await h.operator.listMessages({ userId: user.id, channel: Channel.SMS })
  expect(filtered.messages).toEqual([])
})

import { newId } from '@haat/kit/id'
import { TemplateDeleted, TemplateUpdated } from '@haat/proto/notification/v1/events'
import { Channel, MessageStatus, Topic } from '@haat/proto/notification/v1/notification'
import { OrderRefunded } from '@haat/proto/order/v1/events'
import { customer, staff } from '@haat/testkit/tokens'
import { expect, test } from 'vitest'
import { seedTemplates } from '../src/db/seed-templates.ts'
import { startHarness } from './harness.ts'

const h = await startHarness()
const draft = (more: object = {}) => ({
  key: 'spring_news',
  channel: Channel.EMAIL,
  locale: 'en',
  subject: 'News for {{recipient.name}}',
  bodyMd: 'Hello **{{name}}**',
  topic: Topic.MARKETING,
  ...more,
})
const current = async (key: string, locale = 'en') =>
  (await h.operator.listTemplates({ key, channel: Channel.EMAIL, locale })).templates[0]

test('a template gets a version for every change of its content, and only for those', async () => {
  const { template } = await h.operator.upsertTemplate(draft({ expectedVersion: 0 }))
  expect(template).toMatchObject({ version: 1, isCurrent: true, builtIn: false, confidential: false })
  const again = await h.operator.upsertTemplate(draft({ expectedVersion: 0 }))
  expect(again.template?.id).toBe(template?.id)
  const second = await h.operator.upsertTemplate(draft({ bodyMd: 'Hi {{name}}', expectedVersion: 1 }))
  expect(second.template?.version).toBe(2)
  await expect(h.operator.upsertTemplate(draft({ bodyMd: 'Hey', expectedVersion: 1 }))).rejects.toMatchObject({
    status: 'ABORTED',
    code: 'template_version_conflict',
    details: { version: 2 },
  })
  const { templates } = await h.operator.listTemplates({ key: 'spring_news', allVersions: true })
  expect(templates.map((t) => [t.version, t.isCurrent])).toEqual([
    [2, true],
    [1, false],
  ])
  const events = (await h.service.emitted(TemplateUpdated)).filter((e) => e.data.templateKey === 'spring_news')
  expect(events.map((e) => e.data.templateVersion)).toEqual([1, 2])
})

test('writers of one template at the same time get versions of their own', async () => {
  const key = 'crowded'
  const bodies = Array.from({ length: 10 }, (_, i) => `Body ${i}`)
  await Promise.all(bodies.map((bodyMd) => h.operator.upsertTemplate(draft({ key, bodyMd }))))
  const { templates } = await h.operator.listTemplates({ key, allVersions: true })
  expect(templates.map((t) => t.version)).toEqual([10, 9, 8, 7, 6, 5, 4, 3, 2, 1])
  expect(templates.filter((t) => t.isCurrent)).toHaveLength(1)
})

test('a text that could not be sent is refused, with the place', async () => {
  const refusals: [object, object][] = [
    [{ bodyMd: 'a\nb {{#items}} c' }, { code: 'template_invalid', details: { line: 2 } }],
    [{ bodyMd: '{{/items}}' }, { code: 'template_invalid', details: { line: 1 } }],
    [{ bodyMd: 'a\n\n{{ 1+1 }}' }, { code: 'template_invalid', details: { line: 3 } }],
    [{ bodyMd: 'open {{name' }, { code: 'template_invalid' }],
    [{ subject: ' ' }, { code: 'template_subject_missing' }],
    [
      { key: 'order_paid', topic: Topic.ORDERS, bodyMd: '{{orderNo}} {{colour}}' },
      { code: 'template_variable_unknown', details: { variables: ['colour'] } },
    ],
    [{ key: 'order_paid', subject: 'S', bodyMd: '{{orderNo}}' }, { code: 'template_topic_fixed' }],
    [{ key: 'Not A Key' }, { code: 'request_invalid' }],
  ]
  for (const [more, error] of refusals)
    await expect(h.operator.upsertTemplate(draft(more))).rejects.toMatchObject({ status: 'INVALID_ARGUMENT', ...error })
})

test('an edited built-in template is used, survives a restart, and goes back to its own text', async () => {
  const original = await current('order_refunded')
  expect(original).toMatchObject({ version: 1, builtIn: true, topic: Topic.ORDERS })
  const edit = draft({
    key: 'order_refunded',
    subject: 'Money for {{orderNo}}',
    bodyMd: '{{amount}}',
    topic: Topic.ORDERS,
  })
  await h.operator.upsertTemplate(edit)
  await h.restart()
  expect(
    await h.as(await staff('templates.read')).listTemplates({ key: 'order_refunded', locale: 'en' }),
  ).toMatchObject({
    templates: [{ subject: 'Money for {{orderNo}}', version: 2, builtIn: false }, { channel: Channel.PUSH }],
  })
  const user = h.user()
  const operator = h.as(await staff('templates.write', 'templates.read', 'messages.read'))
  const { eventId } = await h.happen(
    OrderRefunded,
    OrderRefunded.fromPartial({
      refundId: newId(),
      orderId: newId(),
      orderNo: 'HT-1',
      userId: user.id,
      email: user.email,
      amount: { currency: 'BDT', minor: 100n },
    }),
  )
  expect((await operator.listMessages({ eventId })).messages).toMatchObject([
    { subject: 'Money for HT-1', templateVersion: 2, status: MessageStatus.SENT },
  ])
  const name = { key: 'order_refunded', channel: Channel.EMAIL, locale: 'en' }
  await operator.deleteTemplate(name)
  await operator.deleteTemplate(name)
  const { templates } = await operator.listTemplates({ ...name, allVersions: true })
  expect(templates[0]).toMatchObject({ version: 3, builtIn: true, bodyMd: original?.bodyMd, isCurrent: true })
  const events = (await h.service.emitted(TemplateDeleted)).filter((e) => e.data.templateKey === 'order_refunded')
  expect(events).toHaveLength(1)
})

test('a new release replaces the built-in texts that nobody edited, and no others', async () => {
  const db = h.database.db as never
  const text = { channel: 'email', locale: 'en', subject: 'Better', body_md: 'Better' } as const
  const operator = h.as(await staff('templates.write', 'templates.read'))
  await operator.upsertTemplate(draft({ key: 'welcome', subject: 'Ours', bodyMd: 'Ours', topic: Topic.ACCOUNT }))
  const shipped = [
    { ...text, key: 'welcome' },
    { ...text, key: 'account_unblocked' },
  ]
  await Promise.all([seedTemplates(db, shipped), seedTemplates(db, shipped)])
  const subjectOf = async (key: string) =>
    (await operator.listTemplates({ key, channel: Channel.EMAIL, locale: 'en' })).templates.map((t) => [
      t.subject,
      t.version,
    ])
  expect(await subjectOf('welcome')).toEqual([['Ours', 2]])
  expect(await subjectOf('account_unblocked')).toEqual([['Better', 2]])
})

test('a template of our own is gone when deleted, and its versions stay readable', async () => {
  const operator = h.as(await staff('templates.write', 'templates.read'))
  const name = { key: 'short_lived', channel: Channel.EMAIL, locale: 'en' }
  await operator.upsertTemplate(draft(name))
  await operator.deleteTemplate(name)
  await expect(operator.deleteTemplate(name)).rejects.toMatchObject({ status: 'NOT_FOUND', code: 'template_not_found' })
  expect((await operator.listTemplates({ key: name.key })).templates).toEqual([])
  expect((await operator.listTemplates({ key: name.key, allVersions: true })).templates).toHaveLength(1)
  const revived = await operator.upsertTemplate(draft({ ...name, expectedVersion: 0 }))
  expect(revived.template?.version).toBe(2)
})

test('a preview shows stored templates with sample values and drafts with the names of theirs', async () => {
  const operator = h.as(await staff('templates.read'))
  const stored = await operator.previewTemplate({
    source: { $case: 'stored', value: { key: 'vendor_order_shipped', channel: Channel.EMAIL } },
    locale: 'bn',
  })
  expect(stored.subject).toBe('রওনা হয়েছে: অর্ডার HT-2026-000123')
  expect(stored.bodyHtml).toContain('HX123456789BD')
  expect(stored.variables).toContain('trackingNo')
  const source = {
    $case: 'draft' as const,
    value: { channel: Channel.EMAIL, subject: 'For {{who}}', bodyMd: '{{#list}}\n- {{title}}\n{{/list}}\n\n{{who}}' },
  }
  const empty = await operator.previewTemplate({ source, locale: 'en' })
  expect(empty).toMatchObject({ subject: 'For [who]', variables: ['list', 'title', 'who'] })
  const filled = await operator.previewTemplate({
    source,
    locale: 'en',
    payload: { who: '<script>', list: [{ title: '[x](javascript:1)' }] },
  })
  expect(filled.bodyHtml).toContain('&lt;script&gt;')
  expect(filled.bodyHtml).not.toMatch(/<script|href="javascript/)
  await expect(operator.previewTemplate({ source, locale: 'en', payload: {} })).rejects.toMatchObject({
    code: 'template_variable_missing',
    details: { variables: ['who'] },
  })
  const broken = { ...source, value: { ...source.value, bodyMd: '{{#a}}' } }
  await expect(operator.previewTemplate({ source: broken, locale: 'en' })).rejects.toMatchObject({
    code: 'template_invalid',
  })
  const absent = { $case: 'stored' as const, value: { key: 'order_paid', channel: Channel.EMAIL, version: 99 } }
  await expect(operator.previewTemplate({ source: absent, locale: 'en' })).rejects.toMatchObject({
    code: 'template_not_found',
  })
})

test('templates are listed in pages without gaps or repeats', async () => {
  const operator = h.as(await staff('templates.read'))
  const seen: string[] = []
  let pageToken = ''
  do {
    const page = await operator.listTemplates({ pageSize: 17, pageToken })
    seen.push(...page.templates.map((t) => `${t.key} ${t.channel} ${t.locale}`))
    pageToken = page.nextPageToken
  } while (pageToken)
  expect(seen.length).toBeGreaterThanOrEqual(90)
  expect(new Set(seen).size).toBe(seen.length)
  await expect(operator.listTemplates({ allVersions: true })).rejects.toMatchObject({ code: 'request_invalid' })
})

test('only staff see and write templates', async () => {
  const someone = h.as(await customer())
  await expect(someone.listTemplates({})).rejects.toMatchObject({ status: 'PERMISSION_DENIED' })
  await expect(h.as(await staff('templates.read')).upsertTemplate(draft())).rejects.toMatchObject({
    status: 'PERMISSION_DENIED',
  })
})

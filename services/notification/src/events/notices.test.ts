import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf'
import { ProductApproved } from '@haat/proto/catalog/v1/events'
import { registry } from '@haat/proto/image'
import { describe, expect, it } from 'vitest'
import { readShipped } from '../db/seed-templates.ts'
import { builtIn, COMMON, channelsOf, findBuiltIn } from '../domain/built-in.ts'
import { compose, unknownVariables } from '../domain/compose.ts'
import { toPayload } from '../domain/values.ts'
import { type Draft, notices } from './notices.ts'

const shipped = await readShipped()
const keys = Object.keys(builtIn) as (keyof typeof builtIn)[]
const site = { name: 'Haat', storefront: 'https://shop.test', vendor: 'https://vendor.test' }

/** A message of the contract, as JSON, with every field set. */
function filled(message: DescMessage, yes: boolean, enumIndex: number): unknown {
  if (message.typeName === 'google.protobuf.Timestamp') return '2026-03-14T09:30:00Z'
  if (message.typeName === 'haat.common.v1.Money') return { currency: 'BDT', minor: '12345' }
  const single = (field: DescField): unknown => {
    if (field.message) return filled(field.message, yes, enumIndex)
    if (field.enum) return field.enum.values[Math.min(enumIndex, field.enum.values.length - 1)]!.number
    if (field.scalar === ScalarType.BOOL) return yes
    if (field.scalar === ScalarType.STRING) return `${field.localName}-value`
    return 3
  }
  return Object.fromEntries(
    message.fields
      .filter((field) => field.fieldKind !== 'map')
      .map((field) => [field.localName, field.fieldKind === 'list' ? [single(field)] : single(field)]),
  )
}

describe('built-in templates', () => {
  it.each(keys)('%s has a text for each of its channels in each language, and no others', (key) => {
    const expected = channelsOf(key).flatMap((channel) => [`en ${channel}`, `bn ${channel}`])
    const found = shipped.filter((text) => text.key === key).map((text) => `${text.locale} ${text.channel}`)
    expect(found.sort()).toEqual(expected.sort())
  })

  it.each(shipped)('$key $channel $locale can be written with its sample values', (text) => {
    const { sample } = findBuiltIn(text.key)!
    expect(unknownVariables(text, { ...COMMON, ...sample })).toEqual([])
    const {
      subject,
      html,
      text: plain,
      missing,
    } = compose(text, { payload: { ...COMMON, ...sample }, site, timeZone: 'UTC' })
    expect(missing).toEqual([])
    expect(Boolean(subject)).toBe(text.channel !== 'sms')
    for (const output of [subject, html, plain])
      expect(output).not.toMatch(/\{\{|\}\}|undefined|\[object|[\uE000\uE001]/)
    expect(html).not.toContain('href="#"')
    expect(plain.length).toBeGreaterThan(5)
    // One text message, in either alphabet, fits into two parts.
    if (text.channel === 'sms') expect(plain.length).toBeLessThan(text.locale === 'en' ? 300 : 130)
  })
})

describe('notices', () => {
  const draftsOf = (notice: (typeof notices)[number], yes: boolean, enumIndex: number): Draft[] => {
    const descriptor = registry.getMessage(notice.message.$type)!
    return notice.drafts(notice.message.fromJSON(filled(descriptor, yes, enumIndex)) as never)
  }
  const used = new Set<string>()

  it.each(notices)('$message.$type gives its templates every value they need', (notice) => {
    for (const yes of [true, false])
      for (const enumIndex of [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
        for (const { template, values, to } of draftsOf(notice, yes, enumIndex)) {
          used.add(template)
          expect('vendorId' in to ? to.vendorId : to.userId).toBeTruthy()
          for (const text of shipped.filter((s) => s.key === template)) {
            const payload = toPayload({ ...COMMON, ...values })
            const { missing } = compose(text, { payload, site, timeZone: 'UTC' })
            expect([text.key, text.channel, text.locale, missing]).toEqual([text.key, text.channel, text.locale, []])
          }
        }
  })

  it('every built-in template is told of by some event', () => {
    expect([...used].sort()).toEqual([...keys].sort())
  })

  it('an approval is told to who submitted the product, not one by one of what staff imported', () => {
    const notice = notices.find(({ message }) => message.$type === ProductApproved.$type)!
    const toldOf = (imported: boolean) => notice.drafts(ProductApproved.fromJSON({ vendorId: 'v', imported }) as never)
    expect(toldOf(false)).toHaveLength(1)
    expect(toldOf(true)).toEqual([])
  })

  it('no payload holds an address or a name of the customer', () => {
    for (const notice of notices)
      for (const { values } of draftsOf(notice, true, 1))
        expect(JSON.stringify(toPayload(values))).not.toMatch(/email-value|customerName-value|line1-value|phone-value/)
  })
})

import { inflateSync } from 'node:zlib'
import { PDFDocument, PDFRawStream } from 'pdf-lib'
import { expect, test } from 'vitest'
import { barcode } from './barcode.ts'
import { addressLines, itemLines, renderLabel } from './label.ts'
import { createTypesetter } from './typesetter.ts'

const shipTo = {
  name: 'Rahima Khatun',
  line1: 'House 7',
  line2: '',
  city: 'Dhaka',
  state: '',
  postalCode: '1207',
  country: 'BD',
  phone: '',
}
const sheet = {
  trackingNo: 'HT0123456789ABC',
  labelUrl: '',
  orderNo: 'HAAT-1',
  serviceLevel: 'standard',
  weightGrams: 1_250,
  shipTo,
  items: [{ sku: 'A', title: 'Tea', qty: 2 }],
  createdAt: new Date(0),
}

test('the barcode is a whole Code 128: start, eleven modules a symbol, stop', () => {
  const { width, bars } = barcode('HTABCDEFGHJKMNP')
  // Start, 15 letters, check symbol, and the stop's 13 modules.
  expect(width).toBe(17 * 11 + 13)
  expect(bars).toHaveLength(17 * 3 + 4)
  expect(bars.slice(0, 3)).toEqual([
    { left: 0, width: 2 },
    { left: 3, width: 1 },
    { left: 6, width: 1 },
  ])
  expect(bars.slice(-4).map((bar) => bar.width)).toEqual([2, 3, 1, 2])
  const last = bars.at(-1)!
  expect(last.left + last.width).toBe(width)
})

test('different numbers give different bars', () => {
  expect(barcode('HT0123456789ABC').bars).not.toEqual(barcode('HT0123456789ABD').bars)
})

test('an address leaves out what it does not have', () => {
  expect(addressLines(shipTo)).toEqual(['Rahima Khatun', 'House 7', 'Dhaka 1207', 'BD'])
  expect(addressLines(undefined)).toEqual(['(no address)'])
})

test('many items are summed up, none is lost', () => {
  const items = Array.from({ length: 8 }, (_, i) => ({ sku: `S${i}`, title: `T${i}`, qty: i + 1 }))
  expect(itemLines(items)).toHaveLength(5)
  expect(itemLines(items).at(-1)).toBe('and 26 more')
})

test('lines break to fit, and what is too long ends in an ellipsis', async () => {
  const set = await createTypesetter(await PDFDocument.create())
  const style = { size: 11 }
  for (const text of ['word '.repeat(60), 'x'.repeat(400), 'বাড়ি মিরপুর ক্ষেত্র '.repeat(20), 'a ঢাকা '.repeat(40)]) {
    const lines = set.wrap(text, style, 200, 3)
    expect(lines).toHaveLength(3)
    expect(lines.at(-1)).toMatch(/…$/)
    for (const line of lines) expect(set.width(line, style)).toBeLessThanOrEqual(200)
  }
  expect(set.wrap('short', style, 200, 3)).toEqual(['short'])
})

test('Bengali is drawn as outlines, Latin as text, and the same sheet gives the same page', async () => {
  const content = async (name: string) => {
    const document = await PDFDocument.load(await renderLabel({ ...sheet, shipTo: { ...shipTo, name } }))
    return document.context
      .enumerateIndirectObjects()
      .map(([, object]) => object)
      .filter((object) => object instanceof PDFRawStream)
      .map((stream) => inflateSync(stream.getContents()).toString('latin1'))
      .join('\n')
  }
  const curves = (text: string) => text.split('\n').filter((line) => / [cv]$/.test(line)).length
  const latin = await content('Rahima')
  expect(latin).toContain(`<${Buffer.from('Rahima').toString('hex').toUpperCase()}>`)
  expect(curves(latin)).toBe(0)
  expect(curves(await content('রহিমা খাতুন'))).toBeGreaterThan(100)
  expect(await content('Rahima')).toBe(latin)
})

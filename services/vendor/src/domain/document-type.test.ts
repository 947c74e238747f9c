import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sniffDocument } from './document-type.ts'

const bytes = (text: string) => Buffer.from(text, 'latin1')

test('the kinds that are taken are known by their first bytes', () => {
  expect(sniffDocument(bytes('%PDF-1.7\n'))).toBe('application/pdf')
  expect(sniffDocument(bytes('\xff\xd8\xff\xe0JFIF'))).toBe('image/jpeg')
  expect(sniffDocument(bytes('\x89PNG\r\n\x1a\nIHDR'))).toBe('image/png')
  expect(sniffDocument(bytes('RIFF\x10\0\0\0WEBPVP8 '))).toBe('image/webp')
})

test('scripts, other containers and cut-off headers are none of them', () => {
  for (const text of [
    '',
    '<svg onload=alert(1)>',
    'MZ\x90',
    'PK\x03\x04',
    'RIFF\x10\0\0\0WAVE',
    '%PDF',
    '\x89PNG',
    'GIF89a',
  ])
    expect(sniffDocument(bytes(text))).toBeUndefined()
})

test('no input makes it fail', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 20 }), (input) => {
      sniffDocument(input)
    }),
  )
})

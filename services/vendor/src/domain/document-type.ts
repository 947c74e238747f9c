const at = (bytes: Uint8Array, offset: number, text: string): boolean =>
  Buffer.from(
    bytes.buffer,
    bytes.byteOffset + offset,
    Math.max(0, Math.min(text.length, bytes.length - offset)),
  ).equals(Buffer.from(text, 'latin1'))

/** What a document is by its first bytes; undefined when it is none of the kinds that are taken. */
export function sniffDocument(bytes: Uint8Array): string | undefined {
  if (at(bytes, 0, '%PDF-')) return 'application/pdf'
  if (at(bytes, 0, '\xff\xd8\xff')) return 'image/jpeg'
  if (at(bytes, 0, '\x89PNG\r\n\x1a\n')) return 'image/png'
  if (at(bytes, 0, 'RIFF') && at(bytes, 8, 'WEBP')) return 'image/webp'
  return undefined
}

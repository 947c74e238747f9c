import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { deflateSync } from 'node:zlib'
import { newId } from '@haat/kit/id'
import { UploadPurpose } from '@haat/proto/catalog/v1/catalog'
import { customer, staff, vendorMember } from '@haat/testkit/tokens'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { startHarness } from './harness.ts'

let clock = 0
const h = await startHarness({
  overrides: { now: () => new Date(Date.now() + clock) },
  env: { MEDIA_MAX_UPLOAD_BYTES: '2000000', MAX_IMAGES_PER_PRODUCT: '2' },
})
const image = { fileName: 'a.png', contentType: 'image/png', sizeBytes: h.png.length }
const put = (target: { url: string; headers: Record<string, string> }, body: Uint8Array) =>
  fetch(target.url, { method: 'PUT', headers: target.headers, body: Buffer.from(body) })
const open = (bytes: Uint8Array) =>
  h.vendor.createUpload({ ...image, purpose: UploadPurpose.PRODUCT, sizeBytes: bytes.length })

test('an upload becomes three webp sizes that everybody may see, without what the camera wrote', async () => {
  const photo = await sharp({ create: { width: 3000, height: 1000, channels: 3, background: 'red' } })
    .jpeg()
    .withExif({ IFD0: { Artist: 'Somebody', Copyright: 'canary-4711' } })
    .withMetadata({ orientation: 6 })
    .toBuffer()
  const target = await h.vendor.createUpload({
    ...image,
    contentType: 'image/jpeg',
    purpose: UploadPurpose.PRODUCT,
    sizeBytes: photo.length,
  })
  expect((await put(target, photo)).status).toBe(200)
  const { image: made } = await h.vendor.completeUpload({ uploadId: target.uploadId })
  expect(made).toMatchObject({ width: 533, height: 1600 })
  for (const [url, longest] of [
    [made!.thumbUrl, 160],
    [made!.cardUrl, 480],
    [made!.fullUrl, 1600],
  ] as const) {
    const response = await fetch(url)
    expect(response.headers.get('content-type')).toBe('image/webp')
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    expect(response.headers.get('cache-control')).toContain('immutable')
    const bytes = Buffer.from(await response.arrayBuffer())
    const info = await sharp(bytes).metadata()
    expect([info.format, Math.max(info.width, info.height), info.exif]).toEqual(['webp', longest, undefined])
    expect(bytes.includes('canary-4711')).toBe(false)
  }
  expect((await readdir(join(h.dir, 'uploads'))).filter((name) => name.startsWith(target.uploadId))).toEqual([])
})

test('completing again, and many times at once, answers the same image', async () => {
  const target = await open(h.png)
  await expect(h.vendor.completeUpload({ uploadId: target.uploadId })).rejects.toMatchObject({ code: 'upload_missing' })
  await put(target, h.png)
  const answers = await Promise.all(
    Array.from({ length: 5 }, () => h.vendor.completeUpload({ uploadId: target.uploadId })),
  )
  expect(new Set(answers.map((a) => a.image?.id))).toEqual(new Set([target.uploadId]))
  expect(await h.db.media.countDocuments({ _id: target.uploadId })).toBe(1)
})

test("an upload is its owner's: for anybody else it does not exist", async () => {
  const target = await open(h.png)
  await put(target, h.png)
  const colleague = h.as(await vendorMember(h.seller.vendorId))
  for (const uploadId of [target.uploadId, newId()])
    await expect(colleague.completeUpload({ uploadId })).rejects.toMatchObject({
      status: 'NOT_FOUND',
      code: 'upload_not_found',
    })
  await expect(h.anyone.completeUpload({ uploadId: target.uploadId })).rejects.toMatchObject({
    status: 'UNAUTHENTICATED',
  })
})

test('the signed address takes exactly what was announced, until it expires', async () => {
  const target = await open(h.png)
  expect((await put(target, h.png.subarray(1))).status).toBe(413)
  expect((await put({ ...target, headers: { 'content-type': 'text/html' } }, h.png)).status).toBe(415)
  const forged = new URL(target.url)
  forged.searchParams.set('size', '9')
  expect((await put({ ...target, url: forged.href }, h.png)).status).toBe(403)
  const elsewhere = target.url.replace(target.uploadId, newId())
  expect((await put({ ...target, url: elsewhere }, h.png)).status).toBe(403)
  expect((await fetch(target.url)).status).toBe(404)
  const chunked = new ReadableStream({
    start: (c) => {
      c.enqueue(Buffer.concat([h.png, h.png]))
      c.close()
    },
  })
  const streamed = await fetch(target.url, {
    method: 'PUT',
    headers: target.headers,
    body: chunked,
    duplex: 'half',
  } as never).catch(() => undefined)
  expect(streamed?.status ?? 413).toBe(413)
  clock = -3_600_000
  const old = await open(h.png)
  clock = 0
  expect((await put(old, h.png)).status).toBe(403)
  await expect(h.vendor.completeUpload({ uploadId: old.uploadId })).rejects.toMatchObject({ code: 'upload_not_found' })
  await expect(h.vendor.completeUpload({ uploadId: target.uploadId })).rejects.toMatchObject({ code: 'upload_missing' })
})

test('names that would leave the directory are not served', async () => {
  const base = new URL(h.image.fullUrl).origin
  for (const path of [
    '/media/../uploads/x',
    '/media/%2e%2e/package.json',
    `/uploads/${newId()}`,
    '/media/x/full.webp',
    '/',
  ])
    expect((await fetch(base + path)).status).toBe(404)
  const preflight = await fetch(`${base}/uploads/x`, { method: 'OPTIONS' })
  expect([preflight.status, preflight.headers.get('access-control-allow-methods')]).toEqual([204, 'PUT, GET, HEAD'])
})

/** A PNG that says it has these dimensions and holds nothing. */
function bomb(width: number, height: number): Buffer {
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type), data])
    const out = Buffer.alloc(body.length + 8)
    out.writeUInt32BE(data.length, 0)
    body.copy(out, 4)
    out.writeUInt32BE(crc(body), body.length + 4)
    return out
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header[8] = 8
  const rows = deflateSync(Buffer.alloc(1024))
  const magic = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10])
  return Buffer.concat([magic, chunk('IHDR', header), chunk('IDAT', rows), chunk('IEND', Buffer.alloc(0))])
}
function crc(bytes: Buffer): number {
  let value = ~0
  for (const byte of bytes) {
    value ^= byte
    for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? 0xedb88320 : 0)
  }
  return ~value >>> 0
}

test.each([
  [
    'SVG with a script',
    Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>alert(1)</script></svg>'),
  ],
  ['HTML', Buffer.from('<!doctype html><script>alert(1)</script>')],
  [
    'a ZIP archive',
    Buffer.from(
      'UEsDBBQAAAAAAAAAIQAAAAAAAAAAAAAAAAABAAAAYVBLAQIUABQAAAAAAAAAIQAAAAAAAAAAAAAAAAABAAAAAAAAAAAAAAAAAAAAAABhUEsFBgAAAAABAAEALwAAAB8AAAAAAA==',
      'base64',
    ),
  ],
  ['a truncated PNG', h.png.subarray(0, 60)],
  ['50,000 × 50,000 pixels', bomb(50_000, 50_000)],
  ['PNG magic and rubbish', Buffer.concat([h.png.subarray(0, 8), Buffer.alloc(500, 7)])],
])('%s under the name of a PNG is refused', async (_, bytes) => {
  const target = await open(bytes)
  await put(target, bytes)
  await expect(h.vendor.completeUpload({ uploadId: target.uploadId })).rejects.toMatchObject({
    status: 'FAILED_PRECONDITION',
    code: 'image_invalid',
  })
  expect(await h.db.media.findOne({ _id: target.uploadId })).toBeNull()
})

test('what is appended to an image does not survive', async () => {
  const polyglot = Buffer.concat([h.png, Buffer.from('<script>canary</script>')])
  const made = await h.upload(h.vendor, UploadPurpose.PRODUCT, polyglot)
  const served = Buffer.from(await (await fetch(made.fullUrl)).arrayBuffer())
  expect(served.includes('canary')).toBe(false)
})

test('too large, too many and not yours are refused before anything is sent', async () => {
  await expect(
    h.vendor.createUpload({ ...image, purpose: UploadPurpose.PRODUCT, sizeBytes: 2_000_001 }),
  ).rejects.toMatchObject({ code: 'image_too_large', details: { maxBytes: 2_000_000 } })
  const buyer = h.as(await customer())
  const packer = h.as(await vendorMember(h.seller.vendorId, ['orders.read']))
  for (const [client, purpose] of [
    [buyer, UploadPurpose.PRODUCT],
    [packer, UploadPurpose.PRODUCT],
    [buyer, UploadPurpose.VENDOR_LOGO],
    [h.vendor, UploadPurpose.BRAND_LOGO],
  ] as const)
    await expect(client.createUpload({ ...image, purpose })).rejects.toMatchObject({
      status: 'PERMISSION_DENIED',
      code: 'upload_forbidden',
    })
  await expect(
    h.vendor.createUpload({ ...image, purpose: UploadPurpose.PRODUCT, vendorId: newId() }),
  ).rejects.toMatchObject({ code: 'upload_forbidden' })
  const results = []
  for (let i = 0; i < 51; i++)
    results.push(buyer.createUpload({ ...image, purpose: UploadPurpose.REVIEW }).catch((e) => e.code))
  await Promise.all(results)
  await expect(buyer.createUpload({ ...image, purpose: UploadPurpose.REVIEW })).rejects.toMatchObject({
    status: 'RESOURCE_EXHAUSTED',
    code: 'upload_limit_reached',
  })
})

test('images know their purpose and owner; only services ask', async () => {
  const editor = await staff('catalog.write')
  const logo = await h.upload(h.as(editor), UploadPurpose.BRAND_LOGO)
  const { media } = await h.order.batchGetMedia({ imageIds: [logo.id, newId(), h.image.id] })
  expect(media.map((m) => [m.image?.id, m.purpose, m.uploadedBy, m.vendorId])).toEqual([
    [logo.id, UploadPurpose.BRAND_LOGO, editor.userId, undefined],
    [h.image.id, UploadPurpose.PRODUCT, h.seller.userId, h.seller.vendorId],
  ])
  await expect(h.vendor.batchGetMedia({ imageIds: [logo.id] })).rejects.toMatchObject({ status: 'PERMISSION_DENIED' })
  await expect(h.draft({ images: [{ imageId: logo.id, alt: '' }] })).rejects.toMatchObject({ code: 'media_not_found' })
})

test('a product takes no more images than configured, at upload and at writing', async () => {
  const more = [await h.upload(h.vendor), await h.upload(h.vendor)]
  const refs = [h.image, ...more].map(({ id }) => ({ imageId: id, alt: '' }))
  await expect(h.draft({ images: refs })).rejects.toMatchObject({
    status: 'FAILED_PRECONDITION',
    code: 'image_limit_reached',
  })
  const full = await h.draft({ images: refs.slice(1) })
  await expect(
    h.vendor.createUpload({ ...image, purpose: UploadPurpose.PRODUCT, productId: full.id }),
  ).rejects.toMatchObject({ code: 'image_limit_reached' })
})

test('uploads that nobody completed are swept away', async () => {
  const target = await open(h.png)
  await put(target, h.png)
  clock = 3 * 3_600_000
  await h.service.service.runJob('sweep-uploads')
  clock = 0
  expect(await h.db.uploads.findOne({ _id: target.uploadId })).toBeNull()
  expect(await readdir(join(h.dir, 'uploads'))).not.toContain(target.uploadId)
})

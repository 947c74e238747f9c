import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, expect, test } from 'vitest'
import { openS3Store } from '../src/media/s3-store.ts'

// A bucket in memory that answers the few calls the store makes, and keeps what it was sent. Signatures are not checked here.
const objects = new Map<string, { body: Buffer; type: string }>()
const requests: IncomingMessage[] = []
const server = createServer(async (request, response) => {
  requests.push(request)
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const key = new URL(request.url!, 'http://s3').pathname
  if (request.method === 'PUT') {
    objects.set(key, { body: Buffer.concat(chunks), type: request.headers['content-type'] ?? '' })
    return response.writeHead(200, { etag: '"x"' }).end()
  }
  if (request.method === 'DELETE') {
    objects.delete(key)
    return response.writeHead(204).end()
  }
  const found = objects.get(key)
  if (found) return response.writeHead(200, { 'content-length': found.body.length }).end(found.body)
  return response
    .writeHead(404, { 'content-type': 'application/xml' })
    .end('<?xml version="1.0"?><Error><Code>NoSuchKey</Code><Message>none</Message></Error>')
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
const store = openS3Store({
  bucket: 'haat',
  region: 'us-east-1',
  endpoint,
  publicEndpoint: undefined,
  forcePathStyle: true,
  accessKeyId: 'key',
  secretAccessKey: 'secret',
  publicUrl: 'https://cdn.example/',
})
afterAll(async () => {
  await store.close()
  server.closeAllConnections()
  server.close()
})

const upload = { contentType: 'image/png', sizeBytes: 5, expiresAt: new Date(Date.now() + 600_000) }

test('the presigned address fixes type, length and time, and is no more than that', async () => {
  const target = await store.uploadTarget('one', upload)
  const url = new URL(target.url)
  expect(url.pathname).toBe('/haat/uploads/one')
  expect(url.searchParams.get('X-Amz-SignedHeaders')?.split(';')).toEqual(
    expect.arrayContaining(['content-length', 'content-type', 'host']),
  )
  expect(Number(url.searchParams.get('X-Amz-Expires'))).toBeGreaterThan(590)
  expect([...url.searchParams.keys()].filter((name) => name.includes('checksum'))).toEqual([])
  expect(target).toMatchObject({ method: 'PUT', headers: { 'content-type': 'image/png' } })
  const sent = await fetch(target.url, { method: 'PUT', headers: target.headers, body: 'abcde' })
  expect(sent.status).toBe(200)
  expect(await store.readUpload('one', 100)).toEqual(new Uint8Array(Buffer.from('abcde')))
})

test('what is missing is undefined, what is too large is not read', async () => {
  expect(await store.readUpload('none', 100)).toBeUndefined()
  objects.set('/haat/uploads/big', { body: Buffer.alloc(1000), type: '' })
  expect(await store.readUpload('big', 999)).toBe('too_large')
  await store.removeUpload('big')
  expect(await store.readUpload('big', 9999)).toBeUndefined()
})

test('finished images are written plainly, with their type', async () => {
  await store.writeMedia('media/x/full.webp', Buffer.from('webp'))
  expect(objects.get('/haat/media/x/full.webp')).toEqual({ body: Buffer.from('webp'), type: 'image/webp' })
  expect(requests.at(-1)?.headers['cache-control']).toContain('immutable')
  expect(store.publicUrl).toBe('https://cdn.example')
  await store.removeMedia('media/x/full.webp')
  expect(objects.has('/haat/media/x/full.webp')).toBe(false)
})

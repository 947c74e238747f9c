import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, open, rename, rm, stat, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join, resolve } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Log } from '@haat/kit/log'
import type { MediaStore } from './media-store.ts'

const ID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}'
const UPLOAD_PATH = new RegExp(`^/uploads/(${ID})$`)
const MEDIA_PATH = new RegExp(`^/media/(${ID})/(thumb|card|full)\\.webp$`)

/**
 * Files in a directory, with a listener of its own: it takes PUTs to signed addresses and serves finished images. For one
 * instance of the service.
 */
export async function openDiskStore(options: {
  dir: string
  host: string
  port: number
  maxUploadBytes: number
  signingKey?: string
  publicUrl?: string
  log: Log
}): Promise<MediaStore> {
  const dir = resolve(options.dir)
  const key = options.signingKey ?? randomBytes(32).toString('hex')
  const pathOf = (name: string) => join(dir, name)
  await Promise.all(['uploads', 'media'].map((part) => mkdir(pathOf(part), { recursive: true })))

  const sign = (id: string, size: string, type: string, expires: string) =>
    createHmac('sha256', key).update([id, size, type, expires].join('\n')).digest('base64url')

  const receive = async (request: IncomingMessage, response: ServerResponse, id: string, query: URLSearchParams) => {
    const [size, type, expires] = [query.get('size') ?? '', query.get('type') ?? '', query.get('expires') ?? '']
    if (!same(query.get('signature') ?? '', sign(id, size, type, expires))) return end(response, 403)
    if (Number(expires) < Date.now()) return end(response, 403)
    if (request.headers['content-type'] !== type) return end(response, 415)
    const expected = Number(size)
    const announced = Number(request.headers['content-length'] ?? expected)
    if (announced !== expected || expected > options.maxUploadBytes) return end(response, 413)
    const temporary = pathOf(`uploads/${id}.${randomBytes(6).toString('hex')}`)
    try {
      await pipeline(request, exactly(expected), createWriteStream(temporary))
      await rename(temporary, pathOf(`uploads/${id}`))
      end(response, 200)
    } catch (error) {
      await rm(temporary, { force: true })
      if (!(error instanceof WrongSize)) throw error
      end(response, 413)
    }
  }

  const serve = async (response: ServerResponse, path: string, withBody: boolean) => {
    const found = await stat(pathOf(path)).catch(() => undefined)
    if (!found?.isFile()) return end(response, 404)
    response.writeHead(200, {
      'content-type': 'image/webp',
      'content-length': found.size,
      // An image never changes under its id.
      'cache-control': 'public, max-age=31536000, immutable',
      'cross-origin-resource-policy': 'cross-origin',
    })
    if (withBody) await pipeline(createReadStream(pathOf(path)), response)
    else response.end()
  }

  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? '/', 'http://media')
    const upload = UPLOAD_PATH.exec(url.pathname)
    const media = MEDIA_PATH.exec(url.pathname)
    response.setHeader('x-content-type-options', 'nosniff')
    response.setHeader('content-security-policy', "default-src 'none'; sandbox")
    response.setHeader('access-control-allow-origin', '*')
    if (request.method === 'OPTIONS') {
      response.setHeader('access-control-allow-methods', 'PUT, GET, HEAD')
      response.setHeader('access-control-allow-headers', 'content-type')
      response.setHeader('access-control-max-age', '86400')
      return end(response, 204)
    }
    if (request.method === 'PUT' && upload) return receive(request, response, upload[1]!, url.searchParams)
    if ((request.method === 'GET' || request.method === 'HEAD') && media)
      return serve(response, media[0].slice(1), request.method === 'GET')
    return end(response, 404)
  }

  const server = createServer({ requestTimeout: 60_000, headersTimeout: 10_000 }, (request, response) => {
    answer(request, response).catch((err) => {
      options.log.warn({ err }, 'media request failed')
      if (response.headersSent) response.destroy()
      else end(response, 500)
    })
  })
  await new Promise<void>((done, reject) => {
    server.once('error', reject).listen(options.port, options.host, done)
  })
  const own = `http://localhost:${(server.address() as AddressInfo).port}`
  const publicUrl = (options.publicUrl ?? own).replace(/\/+$/, '')

  return {
    publicUrl,
    async uploadTarget(id, { contentType, sizeBytes, expiresAt }) {
      const expires = String(expiresAt.getTime())
      const query = new URLSearchParams({ size: String(sizeBytes), type: contentType, expires })
      query.set('signature', sign(id, String(sizeBytes), contentType, expires))
      return { url: `${publicUrl}/uploads/${id}?${query}`, method: 'PUT', headers: { 'content-type': contentType } }
    },
    async readUpload(id, maxBytes) {
      const file = await open(pathOf(`uploads/${id}`)).catch(ignoreMissing)
      if (!file) return undefined
      try {
        return (await file.stat()).size > maxBytes ? 'too_large' : await file.readFile()
      } finally {
        await file.close()
      }
    },
    removeUpload: (id) => rm(pathOf(`uploads/${id}`), { force: true }),
    async writeMedia(name, bytes) {
      const temporary = pathOf(`${name}.${randomBytes(6).toString('hex')}`)
      await mkdir(dirname(temporary), { recursive: true })
      await writeFile(temporary, bytes)
      await rename(temporary, pathOf(name))
    },
    removeMedia: (name) => rm(pathOf(name), { force: true }),
    async close() {
      await new Promise<void>((done) => {
        server.close(() => done())
        server.closeAllConnections()
      })
    },
  }
}

function end(response: ServerResponse, status: number): void {
  // What was not read of a refused body must not be taken for the connection's next request.
  response.writeHead(status, status >= 400 ? { connection: 'close' } : {}).end()
}

function same(left: string, right: string): boolean {
  const [a, b] = [Buffer.from(left), Buffer.from(right)]
  return a.length === b.length && timingSafeEqual(a, b)
}

class WrongSize extends Error {}

/** Passes exactly this many bytes on, and fails at the first one more or when some are missing. */
function exactly(bytes: number): Transform {
  let seen = 0
  return new Transform({
    transform(chunk: Buffer, _, done) {
      seen += chunk.length
      if (seen > bytes) done(new WrongSize())
      else done(null, chunk)
    },
    flush: (done) => done(seen === bytes ? null : new WrongSize()),
  })
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}

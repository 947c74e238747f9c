import {
  DeleteObjectCommand,
  GetObjectCommand,
  NoSuchKey,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import type { MediaStore } from './media-store.ts'

/**
 * Files in a bucket of any store that speaks S3. Clients upload straight to it by a presigned PUT whose type and length are
 * signed; `media/` must be readable by everybody (bucket policy or CDN), `uploads/` by nobody.
 */
export function openS3Store(options: {
  bucket: string
  region: string
  endpoint: string | undefined
  /** The address browsers reach the store by. */
  publicEndpoint: string | undefined
  forcePathStyle: boolean
  accessKeyId: string | undefined
  secretAccessKey: string | undefined
  publicUrl: string
}): MediaStore {
  const { bucket, accessKeyId, secretAccessKey } = options
  const connect = (endpoint: string | undefined) =>
    new S3Client({
      region: options.region,
      forcePathStyle: options.forcePathStyle,
      ...(endpoint ? { endpoint } : {}),
      ...(accessKeyId && secretAccessKey ? { credentials: { accessKeyId, secretAccessKey } } : {}),
      maxAttempts: 3,
      // Stores other than Amazon's refuse, or do not know, the SDK's optional checksums.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    })
  const client = connect(options.endpoint)
  const presigner = options.publicEndpoint ? connect(options.publicEndpoint) : client
  const upload = (id: string) => ({ Bucket: bucket, Key: `uploads/${id}` })

  return {
    publicUrl: options.publicUrl.replace(/\/+$/, ''),
    async uploadTarget(id, { contentType, sizeBytes, expiresAt }) {
      const command = new PutObjectCommand({ ...upload(id), ContentType: contentType, ContentLength: sizeBytes })
      const url = await getSignedUrl(presigner, command, {
        expiresIn: Math.max(1, Math.round((expiresAt.getTime() - Date.now()) / 1000)),
        signableHeaders: new Set(['content-type', 'content-length']),
      })
      return { url, method: 'PUT', headers: { 'content-type': contentType } }
    },
    async readUpload(id, maxBytes) {
      try {
        const object = await client.send(new GetObjectCommand(upload(id)))
        if (!object.Body) return undefined
        if ((object.ContentLength ?? Number.POSITIVE_INFINITY) > maxBytes) {
          ;(object.Body as { destroy?: () => void }).destroy?.()
          return 'too_large'
        }
        return await object.Body.transformToByteArray()
      } catch (error) {
        if (
          error instanceof NoSuchKey ||
          (error instanceof S3ServiceException && error.$metadata.httpStatusCode === 404)
        )
          return undefined
        throw error
      }
    },
    async removeUpload(id) {
      await client.send(new DeleteObjectCommand(upload(id)))
    },
    async writeMedia(key, bytes) {
      await client.send(
        new PutObjectCommand({
          Bucket: bucket,
          Key: key,
          Body: bytes,
          ContentLength: bytes.byteLength,
          ContentType: 'image/webp',
          CacheControl: 'public, max-age=31536000, immutable',
        }),
      )
    },
    async removeMedia(key) {
      await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }))
    },
    async close() {
      client.destroy()
      if (presigner !== client) presigner.destroy()
    },
  }
}

import { inputOf } from '@haat/kit/http/input-of'
import { createRoutes, route } from '@haat/kit/http/route'
import { pageOf, pageQuery, strict, uuidSchema, z } from '@haat/kit/http/schemas'
import { enumSchema, viewOf } from '@haat/kit/http/view'
import { CreateUploadResponse, Image, UploadPurpose } from '@haat/proto/catalog/v1/catalog'
import { FlagReason, Review, SubmitReviewRequest } from '@haat/proto/review/v1/review'
import type { StorefrontContext } from '../context.ts'

const tags = ['reviews']
const review = viewOf(Review)
const upload = viewOf(CreateUploadResponse, { name: 'Upload', omit: [] })
const image = viewOf(Image)

const submit = route({
  method: 'post',
  path: '/reviews',
  summary: 'Review something I bought',
  tags,
  auth: 'user',
  status: 201,
  body: inputOf(SubmitReviewRequest),
  response: review.schema,
})
const mine = route({
  method: 'get',
  path: '/me/reviews',
  summary: 'My reviews',
  tags,
  auth: 'user',
  query: z.object(pageQuery),
  response: pageOf(review.schema),
})
const flag = route({
  method: 'post',
  path: '/reviews/{id}/flag',
  summary: 'Report a review',
  tags,
  auth: 'user',
  params: z.object({ id: uuidSchema }),
  body: strict({ reason: enumSchema(FlagReason), note: z.string().max(500).default('') }),
})
const createUpload = route({
  method: 'post',
  path: '/uploads',
  summary: 'Where to upload an image for a review',
  tags,
  auth: 'user',
  rateClass: 'upload',
  body: strict({
    fileName: z.string().min(1).max(255),
    contentType: z.string().min(1).max(100),
    sizeBytes: z.int().min(1).max(20_000_000),
  }),
  response: upload.schema,
})
const completeUpload = route({
  method: 'post',
  path: '/uploads/{id}/complete',
  summary: 'The image is uploaded: check, resize and keep it',
  tags,
  auth: 'user',
  rateClass: 'upload',
  timeoutMs: 20_000,
  params: z.object({ id: uuidSchema }),
  response: image.schema,
})

export function reviewRoutes(ctx: StorefrontContext) {
  return createRoutes()
    .openapi(submit, async (c) =>
      c.json(review.toJson((await ctx.review.submitReview(c.req.valid('json'))).review!), 201),
    )
    .openapi(mine, async (c) => {
      const { page_size, page_token } = c.req.valid('query')
      const { reviews, nextPageToken } = await ctx.review.listMyReviews({ pageSize: page_size, pageToken: page_token })
      return c.json({ items: reviews.map(review.toJson), nextPageToken }, 200)
    })
    .openapi(flag, async (c) => {
      await ctx.review.flagReview({ reviewId: c.req.valid('param').id, ...c.req.valid('json') })
      return c.body(null, 204)
    })
    .openapi(createUpload, async (c) => {
      const answer = await ctx.catalog.createUpload({ purpose: UploadPurpose.REVIEW, ...c.req.valid('json') })
      return c.json(upload.toJson(answer), 200)
    })
    .openapi(completeUpload, async (c) => {
      const answer = await ctx.catalog.completeUpload({ uploadId: c.req.valid('param').id })
      return c.json(image.toJson(answer.image!), 200)
    })
}

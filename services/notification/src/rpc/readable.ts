import { invalid } from '@haat/kit/errors'
import { variablesOf } from '../domain/compose.ts'
import { TemplateError } from '../domain/template.ts'

/** The variables a text names; INVALID_ARGUMENT `template_invalid` when its placeholders cannot be read. */
export function readable(text: { subject: string; body_md: string }): string[] {
  try {
    return variablesOf(text)
  } catch (error) {
    if (error instanceof TemplateError) throw invalid('template_invalid', error.message, { line: error.line })
    throw error
  }
}

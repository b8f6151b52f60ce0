import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

export interface OpenApi {
  openapi: string;
  paths: Record<string, Record<string, { responses: Record<string, Response> }>>;
}

interface Response {
  /** By media type. */
  content?: Record<string, { schema: Schema }>;
}

type Schema = { properties?: { code?: { enum?: string[] } } } & Record<string, unknown>;

export interface Asked {
  method: string;
  path: string;
  status: number;
  type: string;
  text: string;
}

/** Holds replies against an OpenAPI document, and keeps what was seen of it. */
export class Contract {
  readonly #document: OpenApi;
  readonly #ajv = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true });
  readonly #validators = new Map<Schema, ValidateFunction>();
  readonly #seen = new Set<string>();

  constructor(document: OpenApi) {
    this.#document = document;
    (addFormats as unknown as (ajv: Ajv2020) => void)(this.#ajv);
  }

  /** What the reply says that the document does not; empty: nothing. */
  check({ method, path, status, type, text }: Asked): string[] {
    const { pathname } = new URL(path, 'http://a');
    const found = Object.entries(this.#document.paths).find(([template]) => matches(template, pathname));
    const operation = found?.[1][method.toLowerCase()];
    if (!found || !operation) return [`${method} ${path} is not described`];
    const key = String(status) in operation.responses ? String(status) : 'default';
    const media = type.split(';')[0]!;
    const schema = operation.responses[key]?.content?.[media]?.schema;
    if (!schema) return [`${status} ${media} is not described`];
    const body: unknown = media.endsWith('json') ? JSON.parse(text) : text;
    const validate = this.#validatorOf(schema);
    if (!validate(body)) return [`${status}: ${this.#ajv.errorsText(validate.errors)}`];
    const { code } = body as { code?: string };
    this.#seen.add(`${method.toLowerCase()} ${found[0]} ${key}${key === 'default' || !code ? '' : ` ${code}`}`);
    return [];
  }

  /** Every answer that the document promises and that no reply was. */
  unseen(): string[] {
    const all = Object.entries(this.#document.paths).flatMap(([path, operations]) =>
      Object.entries(operations).flatMap(([method, { responses }]) =>
        Object.entries(responses).flatMap(([status, { content = {} }]) => {
          const codes = Object.values(content).flatMap(({ schema }) => schema.properties?.code?.enum ?? []);
          const key = `${method} ${path} ${status}`;
          return codes.length === 0 || status === 'default' ? [key] : codes.map((code) => `${key} ${code}`);
        }),
      ),
    );
    return all.filter((one) => !this.#seen.has(one));
  }

  #validatorOf(schema: Schema): ValidateFunction {
    let validate = this.#validators.get(schema);
    if (!validate) this.#validators.set(schema, (validate = this.#ajv.compile(schema)));
    return validate;
  }
}

function matches(template: string, pathname: string): boolean {
  const pattern = template.replaceAll(/[.*+?^$()|[\]\\]/g, '\\$&').replaceAll(/\{\w+\}/g, '[^/]+');
  return new RegExp(`^${pattern}$`).test(pathname);
}

/** The part of JSON schema that the coordinator's schema of experiments uses. */
export interface Schema {
  readonly $ref?: string;
  readonly description?: string;
  readonly type?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly string[];
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
}

export type Value = string | number | boolean | readonly Value[] | Tree;
export interface Tree {
  readonly [key: string]: Value | undefined;
}

export type Control =
  | { readonly kind: 'union'; readonly variants: readonly { readonly name: string; readonly schema: Schema }[] }
  | { readonly kind: 'choice'; readonly options: readonly { readonly name: string; readonly description: string }[] }
  | { readonly kind: 'group'; readonly fields: readonly (readonly [string, Schema])[] }
  | { readonly kind: 'number'; readonly whole: boolean }
  | { readonly kind: 'switch' }
  | { readonly kind: 'text' }
  | { readonly kind: 'numbers'; readonly whole: boolean }
  | { readonly kind: 'none' };

/** The schema behind references and “or nothing”, with the outermost description and default. */
export function resolve(schema: Schema, root: Schema): Schema {
  const { description, default: usual } = schema;
  let inner = schema;
  for (;;) {
    if (inner.$ref) inner = root.$defs?.[inner.$ref.split('/').at(-1)!] ?? {};
    else if (inner.anyOf) inner = inner.anyOf.find((s) => s.type !== 'null') ?? {};
    else break;
  }
  return { ...inner, ...(description === undefined ? {} : { description }), ...(usual === undefined ? {} : { default: usual }) };
}

/** What a person is to be given to fill in a (resolved) schema. */
export function controlOf(schema: Schema): Control {
  if (schema.oneOf?.[0]?.enum) {
    return { kind: 'union', variants: schema.oneOf.slice(1).map((variant) => ({ name: String(variant.properties?.['kind']?.const ?? ''), schema: variant })) };
  }
  if (schema.oneOf?.every((s) => s.const !== undefined)) return { kind: 'choice', options: schema.oneOf.map((s) => ({ name: String(s.const), description: s.description ?? '' })) };
  switch (schema.type) {
    case 'object': return schema.properties ? { kind: 'group', fields: Object.entries(schema.properties) } : { kind: 'none' };
    case 'integer': case 'number': return { kind: 'number', whole: schema.type === 'integer' };
    case 'boolean': return { kind: 'switch' };
    case 'string': return { kind: 'text' };
    case 'array': return schema.items?.type === 'integer' || schema.items?.type === 'number' ? { kind: 'numbers', whole: schema.items.type === 'integer' } : { kind: 'none' };
    default: return { kind: 'none' };
  }
}

export function read(tree: Tree, path: readonly string[]): Value | undefined {
  let at: Value | undefined = tree;
  for (const key of path) {
    if (typeof at !== 'object' || Array.isArray(at)) return undefined;
    at = (at as Tree)[key];
  }
  return at;
}

/** The tree with one value changed; undefined takes it out, and sections that are empty then. */
export function write(tree: Tree, [key, ...rest]: readonly string[], value: Value | undefined): Tree {
  const { [key!]: before, ...others } = tree;
  const inner = typeof before === 'object' && !Array.isArray(before) ? (before as Tree) : {};
  const after = rest.length === 0 ? value : write(inner, rest, value);
  const isEmpty = after === undefined || (rest.length > 0 && Object.keys(after as Tree).length === 0);
  if (isEmpty) return others;
  // In its old place: the text below the form is to stay in order.
  return key! in tree ? Object.fromEntries(Object.entries(tree).map(([k, v]) => [k, k === key ? after : v])) : { ...tree, [key!]: after };
}

/** An experiment file (YAML) of the values. */
export function yaml(tree: Tree, indent = ''): string {
  let text = '';
  for (const [key, value] of Object.entries(tree)) {
    if (value === undefined) continue;
    if (typeof value === 'object' && !Array.isArray(value)) text += `${indent}${key}:\n${yaml(value as Tree, `${indent}  `)}`;
    else text += `${indent}${key}: ${Array.isArray(value) ? `[${value.map(scalar).join(', ')}]` : scalar(value)}\n`;
  }
  return text;
}

function scalar(value: Value | undefined): string {
  if (typeof value !== 'string') return String(value);
  return /^[A-Za-z][\w-]*(?: [\w-]+)*$/.test(value) && !/^(true|false|null|yes|no|on|off|y|n|nan|inf)$/i.test(value) ? value : JSON.stringify(value);
}

/** What the coordinator says of a file, by the key that it is about: `name:3:51: strategy.scheduler: minSteps 50 is above …`. */
export function problemsOf(text: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const line of text.split('\n').filter(Boolean)) {
    const [, path = '', says = line] = /^\S*?:\d+:\d+: (?:([\w.-]+): )?(.*)$/.exec(line) ?? [];
    found.set(path, found.has(path) ? `${found.get(path)} ${says}` : says);
  }
  return found;
}

/** `secondsPerStep` as people write it. */
export function words(key: string): string {
  const text = key.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
  return text[0]!.toUpperCase() + text.slice(1);
}

import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import { controlOf, read, resolve, words, type Schema, type Tree, type Value } from './schema.ts';

export interface FieldProps {
  readonly schema: Schema;
  readonly root: Schema;
  readonly path: readonly string[];
  readonly tree: Tree;
  /** Of a group only these; all when left out. */
  readonly only?: readonly string[] | undefined;
  readonly onChange: (path: readonly string[], value: Value | undefined) => void;
  readonly problems: ReadonlyMap<string, string>;
}

/** Whatever a schema asks for: one value, a choice of kinds with their own fields, or a group of fields. What is left empty has its default. */
export function Field(props: FieldProps) {
  const schema = resolve(props.schema, props.root);
  const control = controlOf(schema);
  const value = read(props.tree, props.path);
  const set = (next: Value | undefined) => props.onChange(props.path, next);
  const usual = schema.default;
  switch (control.kind) {
    case 'none': return null;
    case 'group': return <Group {...props} fields={control.fields} />;
    case 'union': {
      const kind = typeof value === 'string' ? value : ((value as Tree | undefined)?.['kind'] as string | undefined);
      const variant = control.variants.find((v) => v.name === (kind ?? usual));
      return (
        <Group {...props} fields={kind !== undefined && variant ? Object.entries(variant.schema.properties ?? {}).filter(([key]) => key !== 'kind') : []} lead={
            <Labelled {...props} schema={schema} text={variant?.schema.description ?? schema.description}>
              {(id, invalid) => (
                <select {...id} aria-invalid={invalid} value={kind ?? ''} onChange={(e) => set(e.currentTarget.value === '' ? undefined : { kind: e.currentTarget.value })}>
                  {usual !== undefined && kind === undefined && <option value="">{`${usual} (default)`}</option>}
                  {usual === undefined && <option value="">none</option>}
                  {control.variants.map((v) => <option key={v.name} value={v.name}>{v.name}</option>)}
                </select>
              )}
            </Labelled>
        } />
      );
    }
    case 'choice': return (
      <Labelled {...props} schema={schema}>
        {(id, invalid) => (
          <select {...id} aria-invalid={invalid} value={String(value ?? '')} onChange={(e) => set(e.currentTarget.value || undefined)}>
            <option value="">{usual === undefined ? 'as is usual' : `${usual} (default)`}</option>
            {control.options.map((o) => <option key={o.name} value={o.name} title={o.description}>{o.name}</option>)}
          </select>
        )}
      </Labelled>
    );
    case 'switch': return (
      <Labelled {...props} schema={schema}>
        {(id) => <input {...id} type="checkbox" checked={(value ?? usual) === true} onChange={(e) => set(e.currentTarget.checked === (usual === true) ? undefined : e.currentTarget.checked)} />}
      </Labelled>
    );
    case 'number': return (
      <Labelled {...props} schema={schema}>
        {(id, invalid) => (
          <input {...id} type="number" aria-invalid={invalid} step={control.whole ? 1 : 'any'} min={schema.minimum} max={schema.maximum} value={value === undefined ? '' : String(value)} placeholder={usual === undefined ? '' : String(usual)}
            onInput={(e) => { if (!e.currentTarget.validity.badInput) set(e.currentTarget.value === '' ? undefined : Number(e.currentTarget.value)); }} />
        )}
      </Labelled>
    );
    case 'numbers': return (
      <Labelled {...props} schema={schema}>
        {(id, invalid) => (
          <input {...id} aria-invalid={invalid} pattern="[0-9.,\s\-]*" value={Array.isArray(value) ? value.join(', ') : ''} placeholder={Array.isArray(usual) ? usual.join(', ') : ''}
            onChange={(e) => { const numbers = e.currentTarget.value.split(/[,\s]+/).filter(Boolean).map(Number); set(numbers.length > 0 ? numbers : undefined); }} />
        )}
      </Labelled>
    );
    default: return (
      <Labelled {...props} schema={schema}>
        {(id, invalid) => <input {...id} aria-invalid={invalid} value={value === undefined ? '' : String(value)} placeholder={typeof usual === 'string' ? usual : ''} onInput={(e) => set(e.currentTarget.value || undefined)} />}
      </Labelled>
    );
  }
}

/** What most runs are about: open from the start. */
const first = ['strategy.scheduler', 'data.source'];

/** Plain values side by side; what has fields of its own folds open below. */
function Group({ fields, lead, ...props }: FieldProps & { readonly fields: readonly (readonly [string, Schema])[]; readonly lead?: ComponentChildren }) {
  const { root, path, only, tree, problems } = props;
  const shown = fields.filter(([key]) => only === undefined || only.includes(key)).map(([key, schema]) => ({ key, schema, kind: controlOf(resolve(schema, root)).kind })).filter((f) => f.kind !== 'none');
  const isDeep = (f: (typeof shown)[number]) => f.kind === 'union' || f.kind === 'group';
  const isFirst = (f: (typeof shown)[number]) => first.includes([...path, f.key].join('.'));
  const plain = shown.filter((f) => !isDeep(f));
  return (
    <>
      {shown.filter((f) => isDeep(f) && isFirst(f)).map(fold)}
      {(plain.length > 0 || lead !== undefined) && <div class="fields">{lead}{plain.map((f) => <Field key={f.key} {...props} only={undefined} schema={f.schema} path={[...path, f.key]} />)}</div>}
      {shown.filter((f) => isDeep(f) && !isFirst(f)).map(fold)}
    </>
  );

  function fold(f: (typeof shown)[number]) {
    const at = [...path, f.key];
    const kind = (read(tree, at) as Tree | undefined)?.['kind'];
    const usual = resolve(f.schema, root).default;
    const isWrong = [...problems.keys()].some((p) => p.startsWith(at.join('.')));
    if (at.join('.') === 'run.stop') return null; // It stands in a section of its own.
    return (
      <details class="deep" key={f.key} open={first.includes(at.join('.')) || isWrong}>
        <summary>{words(f.key)} <span class="faint">{String(kind ?? (typeof usual === 'string' ? usual : ''))}</span></summary>
        <Field {...props} only={undefined} schema={f.schema} path={at} />
      </details>
    );
  }
}

/** “Options of X” tells nobody anything. */
function says(text: string): string {
  return text.startsWith('Options of ') ? '' : text;
}

function Labelled({ schema, path, problems, text, children }: FieldProps & { text?: string | undefined; children: (id: { id: string; 'aria-describedby': string }, invalid: boolean) => ComponentChildren }) {
  const id = useId();
  const problem = problems.get(path.join('.'));
  return (
    <div class="field">
      <label for={id}>{words(path.at(-1) ?? '')}</label>
      {children({ id, 'aria-describedby': `${id}-note` }, problem !== undefined)}
      <p class="note" id={`${id}-note`}>{problem !== undefined && <strong class="wrong">{problem} </strong>}{says(text ?? schema.description ?? '')}</p>
    </div>
  );
}

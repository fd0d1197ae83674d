import { useEffect, useState } from 'preact/hooks';
import { create, document_ } from '../lib/api.ts';
import { go } from '../lib/route.ts';
import { schedulerOf } from '../lib/words.ts';
import { Choice } from '../parts/Bits.tsx';
import { Field } from './Field.tsx';
import { problemsOf, read, write, yaml, type Schema, type Tree } from './schema.ts';

type Way = 'form' | 'file';

const digits: Tree = {
  name: 'digits',
  data: { source: { kind: 'drawn-digits', writers: 12, trainPerWriter: 150, testPerWriter: 30, size: 20, heterogeneity: 0.7 } },
  model: { kind: 'mlp', hidden: [64] },
  training: { kind: 'local', epochs: 2, batchSize: 16, optimizer: { kind: 'sgd', learningRate: 0.1 } },
};
const stop = { run: { stop: { versions: 60 } } };

/** Strategies to begin from; each is a run that can be started as it is. */
const beginnings: Readonly<Record<string, Tree>> = {
  synchronous: { ...digits, strategy: { scheduler: { kind: 'synchronous', cohort: 6 } }, ...stop },
  buffered: { ...digits, strategy: { scheduler: { kind: 'buffered', concurrency: 6, aggregationGoal: 3 }, stalenessWeight: { kind: 'polynomial' } }, ...stop },
  compass: { ...digits, strategy: { scheduler: { kind: 'compass', minSteps: 10, maxSteps: 60 }, aggregator: { kind: 'mean', normalisation: 'none' } }, ...stop },
  immediate: { ...digits, strategy: { scheduler: { kind: 'immediate' }, stalenessWeight: { kind: 'polynomial' }, aggregator: { kind: 'mean', normalisation: 'none' } }, ...stop },
};

/** Sections of the form: where in the file they stand, and which keys; real clients bring their own devices, so of theirs only the number is asked. */
const sections: readonly { readonly title: string; readonly path: readonly string[]; readonly about: string; readonly only?: readonly string[]; readonly closed?: true }[] = [
  { title: 'Run', path: [], about: 'What it is called, and where its randomness begins.', only: ['name', 'seed'] },
  { title: 'Strategy', path: ['strategy'], about: 'Who trains when, and how updates become the next version.' },
  { title: 'Model', path: ['model'], about: 'What is trained.' },
  { title: 'Data', path: ['data'], about: 'What the coordinator tests on, and what an example looks like. Clients train on their own data, or stand in for one share of these.' },
  { title: 'Training', path: ['training'], about: 'What clients do with an assignment.' },
  { title: 'Clients', path: ['clients'], about: 'How many the run waits for before it begins; 0 for as many as the data are split over.', only: ['count'] },
  { title: 'When it stops', path: ['run', 'stop'], about: 'At the first of these that holds; at least one must be set.' },
  { title: 'Evaluation and timeouts', path: ['run'], about: 'The rest of how a run is kept going.', closed: true },
  { title: 'Privacy', path: ['privacy'], about: 'Who is protected against whom, by which mechanism, at what budget.', closed: true },
];

/** A new run: from fields, each checked here and then by the coordinator, or from an experiment file. */
export default function NewRun() {
  const [schema, setSchema] = useState<Schema | null>(null);
  const [way, setWay] = useState<Way>('form');
  const [tree, setTree] = useState<Tree>(beginnings['compass']!);
  const [text, setText] = useState('');
  const [problems, setProblems] = useState<ReadonlyMap<string, string>>(new Map());
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    document_<Schema>('v1/dashboard/schema').then(setSchema, () => setWay('file')); // A host without one still takes files.
  }, []);

  const start = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    try {
      const id = await create(way === 'form' ? yaml(tree) : text);
      setProblems(new Map());
      go(['runs', id]);
    } catch (reason) {
      setProblems(problemsOf(reason instanceof Error ? reason.message : String(reason)));
      requestAnimationFrame(() => document.querySelector<HTMLElement>('.new-run [aria-invalid=true], .new-run [role=alert]')?.focus());
    }
    setBusy(false);
  };
  const toText = (next: Way) => {
    if (next === 'file' && text === '') setText(yaml(tree));
    setProblems(new Map());
    setWay(next);
  };
  const kind = read(tree, ['strategy', 'scheduler', 'kind']);
  return (
    <form onSubmit={(event) => void start(event)}>
      <Choice label="From" value={way} options={[['form', 'Fields'], ['file', 'An experiment file']]} onChange={toText} />
      {way === 'file' ? (
        <>
          <p class="note">An experiment file (YAML) says what is trained, on what, and how; <code>experiments/</code> has some to begin with. What is left out has its default.</p>
          <label class="block">A file <input type="file" accept=".yaml,.yml" onChange={(event) => void event.currentTarget.files?.[0]?.text().then(setText)} /></label>
          <label class="block">Or its text <textarea rows={14} required spellcheck={false} value={text} onInput={(event) => setText(event.currentTarget.value)} /></label>
        </>
      ) : schema === null ? <p class="empty" role="status">Reading what can be chosen …</p> : (
        <>
          <Choice label="Begin with" value={String(kind)} options={Object.keys(beginnings).map((name) => [name, schedulerOf(name).title] as const)} onChange={(name) => setTree({ ...beginnings[name]!, name: tree['name'] ?? 'digits' })} />
          <p class="note">{schedulerOf(String(kind)).how}</p>
          {sections.map((section) => {
            const fields = <Field schema={section.path.reduce<Schema>((at, key) => inner(at, key, schema), schema)} root={schema} path={section.path} tree={tree} only={section.only} onChange={(path, value) => setTree(write(tree, path, value))} problems={problems} />;
            return section.closed
              ? <details class="form-part" key={section.title} open={[...problems.keys()].some((p) => p.startsWith(section.path.join('.')))}><summary><strong>{section.title}</strong> <span class="faint">{section.about}</span></summary>{fields}</details>
              : <fieldset class="form-part" key={section.title}><legend>{section.title}</legend><p class="note">{section.about}</p>{fields}</fieldset>;
          })}
          <details class="form-part"><summary><strong>As an experiment file</strong> <span class="faint">what will be sent; keep it to run the same again</span></summary><pre tabIndex={0}>{yaml(tree)}</pre></details>
        </>
      )}
      {problems.size > 0 && (
        <div class="problem card" role="alert" tabIndex={-1}>
          <strong>The coordinator did not take it.</strong>
          <ul>{[...problems].map(([path, says]) => <li key={path}>{path && <code>{path}</code>} {says}</li>)}</ul>
        </div>
      )}
      <button type="submit" class="primary" disabled={busy}>Start the run</button>
    </form>
  );
}

/** The schema of a key, behind references. */
function inner(schema: Schema, key: string, root: Schema): Schema {
  let at = schema;
  while (at.$ref || at.anyOf) at = at.$ref ? (root.$defs?.[at.$ref.split('/').at(-1)!] ?? {}) : (at.anyOf!.find((s) => s.type !== 'null') ?? {});
  return at.properties?.[key] ?? {};
}

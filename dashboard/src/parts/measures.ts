import type { ClientColumn, ClientTable } from '../lib/clients.ts';
import { states } from '../lib/clients.ts';
import { bytes, duration, percent, short, whole } from '../lib/format.ts';

/** What can be shown of a client, in the grid and in the table. */
export interface Measure {
  readonly name: string;
  readonly label: string;
  readonly note: string;
  readonly of: (table: ClientTable) => (client: number) => number;
  readonly format: (value: number) => string;
}

const column = (name: ClientColumn) => (table: ClientTable) => {
  const values = table.get(name);
  return (client: number) => values[client]!;
};

/** A client's share of all weight in the model, over its share of all examples: 1 is fair. */
function balance(table: ClientTable): (client: number) => number {
  const [weight, examples] = [table.get('weight'), table.get('examples')];
  const sum = (values: Float64Array) => values.reduce((a, b) => a + (b > 0 ? b : 0), 0);
  const [allWeight, allExamples] = [sum(weight), sum(examples)];
  return (client) => (allWeight > 0 && examples[client]! > 0 ? weight[client]! / allWeight / (examples[client]! / allExamples) : NaN);
}

export const measures: readonly Measure[] = [
  { name: 'state', label: 'State', note: 'What each client does now, or how its last work ended.', of: column('state'), format: (v) => states[v] ?? '' },
  { name: 'accepted', label: 'Updates', note: 'How many updates of each client became part of the model.', of: column('accepted'), format: whole },
  { name: 'balance', label: 'Heard', note: "A client's share of the weight in the model, over its share of all examples: 1 is as intended, below 1 is heard too little. Fast clients tend to be heard too much.", of: balance, format: (v) => (Number.isFinite(v) ? `${short(v)}×` : '–') },
  { name: 'staleness', label: 'Staleness', note: 'How many versions appeared, on average, while the client was training.', of: column('staleness'), format: short },
  { name: 'secondsPerStep', label: 'Seconds per step', note: 'How long the client takes for one local step, transfers included: its speed.', of: column('secondsPerStep'), format: duration },
  { name: 'lost', label: 'Lost', note: 'Work that never came back.', of: column('lost'), format: whole },
  { name: 'rejected', label: 'Not used', note: 'Updates that came but were not used.', of: column('rejected'), format: whole },
  { name: 'leftOut', label: 'Left out', note: 'Updates that came in time and that the aggregation rule did not use: what a robust rule suspects shows here.', of: column('leftOut'), format: whole },
  { name: 'lastSeen', label: 'Last seen', note: "When it was last heard of, on the run's clock.", of: column('lastSeen'), format: duration },
  { name: 'examples', label: 'Examples', note: 'How much data it has.', of: column('examples'), format: whole },
  { name: 'accuracy', label: 'Accuracy', note: "The shared model on the client's own test examples, where it has some; measured when the run ends.", of: column('accuracy'), format: percent },
  { name: 'busy', label: 'Busy', note: 'How long it had work in hand, altogether.', of: column('busy'), format: duration },
  { name: 'bytesUp', label: 'Sent', note: 'Bytes that came from it, where they are counted per client.', of: column('bytesUp'), format: bytes },
];

export function measureOf(name: string | null): Measure {
  return measures.find((m) => m.name === name) ?? measures[0]!;
}

/** Whether anything is known: columns that nobody fills are left out. */
export function isKnown(measure: Measure, table: ClientTable): boolean {
  if (['state', 'accepted', 'lost', 'rejected', 'staleness', 'secondsPerStep'].includes(measure.name)) return true;
  const of = measure.of(table);
  for (let i = 0; i < table.count; i++) if (Number.isFinite(of(i)) && of(i) !== 0) return true;
  return false;
}

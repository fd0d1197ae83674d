/** What a picture is drawn on: a canvas on the screen or for PNG, or the text of an SVG. The same code draws all three. */
export interface Surface {
  readonly width: number;
  readonly height: number;
  rect(x: number, y: number, w: number, h: number, fill: string, stroke?: string): void;
  /** A rectangle whose hatching says what its colour says, for eyes and printers that do not tell colours apart. */
  hatched(x: number, y: number, w: number, h: number, fill: string): void;
  line(points: readonly (readonly [number, number])[], stroke: string, width?: number, dash?: readonly number[], opacity?: number): void;
  circle(x: number, y: number, r: number, fill: string): void;
  text(x: number, y: number, text: string, fill: string, options?: TextOptions): void;
}

export interface TextOptions {
  readonly align?: 'left' | 'center' | 'right';
  readonly size?: number;
  readonly bold?: boolean;
  readonly most?: number;
}

export const font = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif';

export class CanvasSurface implements Surface {
  constructor(readonly context: CanvasRenderingContext2D, readonly width: number, readonly height: number) {}

  rect(x: number, y: number, w: number, h: number, fill: string, stroke?: string): void {
    if (fill !== 'none') {
      this.context.fillStyle = fill;
      this.context.fillRect(x, y, w, h);
    }
    if (stroke) {
      this.context.strokeStyle = stroke;
      this.context.lineWidth = 1;
      this.context.strokeRect(x + 0.5, y + 0.5, Math.max(0, w - 1), Math.max(0, h - 1));
    }
  }

  hatched(x: number, y: number, w: number, h: number, fill: string): void {
    const context = this.context;
    context.globalAlpha = 0.3;
    this.rect(x, y, w, h, fill);
    context.globalAlpha = 1;
    if (w < 3) {
      this.rect(x, y, w, h, fill);
      return;
    }
    context.save();
    context.beginPath();
    context.rect(x, y, w, h);
    context.clip();
    context.strokeStyle = fill;
    context.lineWidth = 1.25;
    context.beginPath();
    for (let at = x - h; at < x + w; at += 4) {
      context.moveTo(at, y + h);
      context.lineTo(at + h, y);
    }
    context.stroke();
    context.restore();
  }

  line(points: readonly (readonly [number, number])[], stroke: string, width = 1, dash: readonly number[] = [], opacity = 1): void {
    const context = this.context;
    context.globalAlpha = opacity;
    context.strokeStyle = stroke;
    context.lineWidth = width;
    context.setLineDash(dash as number[]);
    context.beginPath();
    points.forEach(([x, y], i) => (i === 0 ? context.moveTo(x, y) : context.lineTo(x, y)));
    context.stroke();
    context.setLineDash([]);
    context.globalAlpha = 1;
  }

  circle(x: number, y: number, r: number, fill: string): void {
    this.context.fillStyle = fill;
    this.context.beginPath();
    this.context.arc(x, y, r, 0, 2 * Math.PI);
    this.context.fill();
  }

  text(x: number, y: number, text: string, fill: string, { align = 'left', size = 12, bold = false, most }: TextOptions = {}): void {
    const context = this.context;
    context.font = `${bold ? '600 ' : ''}${size}px ${font}`;
    context.textAlign = align;
    context.textBaseline = 'middle';
    context.fillStyle = fill;
    context.fillText(most === undefined ? text : this.fit(text, most), x, y);
  }

  private fit(text: string, most: number): string {
    if (this.context.measureText(text).width <= most) return text;
    let length = text.length - 1;
    while (length > 1 && this.context.measureText(`${text.slice(0, length)}…`).width > most) length--;
    return `${text.slice(0, length)}…`;
  }
}

export class SvgSurface implements Surface {
  private readonly parts: string[] = [];

  constructor(readonly width: number, readonly height: number, private readonly background: string) {}

  rect(x: number, y: number, w: number, h: number, fill: string, stroke?: string): void {
    this.parts.push(`<rect x="${n(x)}" y="${n(y)}" width="${n(Math.max(0, w))}" height="${n(Math.max(0, h))}" fill="${fill}"${stroke ? ` stroke="${stroke}"` : ''}/>`);
  }

  hatched(x: number, y: number, w: number, h: number, fill: string): void {
    this.parts.push(`<rect x="${n(x)}" y="${n(y)}" width="${n(Math.max(0, w))}" height="${n(h)}" fill="${fill}" fill-opacity=".3" stroke="${fill}" stroke-dasharray="2 2"/>`);
  }

  line(points: readonly (readonly [number, number])[], stroke: string, width = 1, dash: readonly number[] = [], opacity = 1): void {
    if (points.length === 0) return;
    const path = points.map(([x, y]) => `${n(x)},${n(y)}`).join(' ');
    this.parts.push(`<polyline points="${path}" fill="none" stroke="${stroke}" stroke-width="${width}"${dash.length > 0 ? ` stroke-dasharray="${dash.join(' ')}"` : ''}${opacity < 1 ? ` opacity="${opacity}"` : ''}/>`);
  }

  circle(x: number, y: number, r: number, fill: string): void {
    this.parts.push(`<circle cx="${n(x)}" cy="${n(y)}" r="${n(r)}" fill="${fill}"/>`);
  }

  text(x: number, y: number, text: string, fill: string, { align = 'left', size = 12, bold = false }: TextOptions = {}): void {
    const anchor = align === 'left' ? 'start' : align === 'right' ? 'end' : 'middle';
    this.parts.push(`<text x="${n(x)}" y="${n(y)}" fill="${fill}" font-size="${size}" text-anchor="${anchor}" dominant-baseline="middle"${bold ? ' font-weight="600"' : ''}>${escape(text)}</text>`);
  }

  toString(title: string): string {
    return (
      `<svg xmlns="http://www.w3.org/2000/svg" width="${this.width}" height="${this.height}" viewBox="0 0 ${this.width} ${this.height}" font-family="${escape(font)}" role="img">` +
      `<title>${escape(title)}</title><rect width="100%" height="100%" fill="${this.background}"/>${this.parts.join('')}</svg>`
    );
  }
}

function n(value: number): string {
  return String(Math.round(value * 100) / 100);
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]!);
}

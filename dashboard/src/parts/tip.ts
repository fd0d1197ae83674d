/** A small text beside the pointer; hidden when it is empty. */
export function showTip(tip: HTMLElement, canvas: HTMLElement, text: string, x: number, y: number): void {
  tip.hidden = text === '';
  if (tip.hidden) return;
  tip.textContent = text;
  tip.style.maxWidth = `${Math.min(320, canvas.clientWidth - 16)}px`;
  tip.style.left = `${Math.max(0, Math.min(x + 14, canvas.clientWidth - tip.offsetWidth - 4))}px`;
  tip.style.top = `${y + 18}px`;
}

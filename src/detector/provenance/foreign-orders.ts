import { isAscii } from './fold.ts';
import { matchesOf } from './matches.ts';

/**
 * Verbs that order something in other languages (German, French, Spanish, Portuguese, Italian, Dutch), without accents:
 * imperatives of both forms of address, and infinitives, because "veuillez payer" and "bitte zahlen" order as well. Each
 * stands for the English ones of `verbs.ts`. Forms that are other words there or in English are left out ("andere",
 * "commander", "modifier", "responder").
 */
const ROWS: readonly string[] = [
  `send: sende senden schicke schick schicken maile mailen envoie envoyer envoyez expedie expedier expediez envia enviar envie envien
   manda mandar mande invia inviare invii mandare mandi spedisci spedire stuur sturen zend zenden verstuur versturen`,
  `forward: weiterleiten leite transfere transferez reenvia reenviar reenvie encaminha encaminhar encaminhe reencaminhe inoltra inoltrare
   inoltri doorsturen`,
  `transfer: uberweise uberweisen ueberweise ueberweisen transferer transferez transfere virer virez verser versez transfiere transferir
   transfiera transfira trasferisci trasferire trasferisca bonifica bonificare overmaken overboeken`,
  `pay: zahle zahlen bezahle bezahlen begleiche begleichen paie payer payez regler reglez paga pagar pague abona abonar abone pagare paghi
   betaal betalen`,
  `delete: losche loschen loesche loeschen entferne entfernen supprime supprimer supprimez efface effacer effacez elimina eliminar elimine
   borra borrar borre suprime suprimir exclua excluir apague apagar remova remover eliminare elimini cancella cancellare cancelli
   rimuovi rimuovere verwijder verwijderen wissen`,
  `buy: kaufe kaufen bestelle bestellen achete acheter achetez commande commandez compra comprar compre comprare compri
   acquista acquistare acquisti encomende koop kopen bestel`,
  `invite: einladen lade inviter invitez invita invitar convida convidar convide invitare inviti uitnodigen nodig`,
  `add: fuge fuege hinzufugen hinzufuegen ajoute ajouter ajoutez agrega agregar agregue anade anadir anada adiciona adicionar adicione
   aggiungi aggiungere aggiunga voeg toevoegen`,
  `change: andern aendere aendern modifie modifiez changer changez cambia cambiar cambie modifica modificar modifique altere
   alterar mude mudar modificare cambiare cambi wijzig wijzigen verander veranderen`,
  `create: erstelle erstellen creer creez crea crear crie criar creare crei maak maken`,
  `download: herunterladen lade telecharge telecharger telechargez descarga descargar descargue baixe baixar scarica scaricare scarichi`,
  `open: offne offnen oeffne oeffnen ouvre ouvrir ouvrez abre abrir abra apri aprire apra`,
  `visit: besuche besuchen visiter visitez visita visitar visitare bezoek bezoeken`,
  `run: ausfuhren ausfuehren fuhre fuehre executer executez lancer lancez ejecuta ejecutar ejecute executar esegui eseguire esegua
   voer uitvoeren`,
  `share: teile teilen partage partager partagez comparte compartir comparta compartilhe compartilhar partilhe condividi condividere
   condivida deel delen`,
  `upload: hochladen lade televerse televerser televersez sube subir suba carregue carica caricare carichi`,
  `publish: veroffentliche veroffentlichen publie publier publiez publica publicar publique pubblica pubblicare pubblichi publiceer`,
  `book: buche buchen reserviere reservieren reserver reservez reserva reservar prenota prenotare prenoti boek boeken reserveer`,
  `reply: antworte antworten reponds repondre repondez responde responda rispondi rispondere risponda antwoord beantwoord`,
];

const ENGLISH: ReadonlyMap<string, readonly string[]> = tableOf(ROWS);

/** What leads up to an order. */
const LEADS =
  `bitte|dann|danach|sofort|jetzt|umgehend|und|mussen sie|sollten sie|sie mussen|sie sollten|du musst|du sollst|veuillez|merci de|il faut|
vous devez|tu dois|s'il vous plait|puis|ensuite|maintenant|et|por favor|debes|debe|tienes que|tiene que|hay que|luego|ahora|y|favor|deve|
precisa|entao|agora|e|per favore|per cortesia|si prega di|devi|bisogna|poi|adesso|subito|alstublieft|alsjeblieft|gelieve|moet u|u moet|
je moet|dan|nu|en|graag`.replaceAll('\n', '');

const ORDER = new RegExp(
  `(?:^|[,;:\\])]\\s*|\\b(?:${LEADS})\\s+)(?:(?:${LEADS}),?\\s+)*(?=([a-z]+)\\s+['"\`$(<\\p{L}\\p{N}@/#*])`,
  'gu',
);
/** German and Dutch put the verb last: "bitte 900 EUR an … überweisen". */
const LAST_VERB =
  /\b(?:bitte|mussen|musst|sollten|sollst|gelieve|graag|moet|moeten|alstublieft|alsjeblieft)\b.*\b([a-z]+)[.!\s]*$/;
const ANY = new RegExp(`\\b(?:${[...ENGLISH.keys()].join('|')})\\b`);

/** "Was Bea in ihrer Mail verlangt", "ce que Bea demande": the user hands on somebody's word. */
const HANDS_ON =
  /\b(?:was|wie|ce que?|ce qu|comme|lo que|o que|como|cio che|quello che|come|wat|zoals)\b[^.]{0,80}\b(?:verlangt|schreibt|sagt|bittet|mochte|wunscht|demande|dit|ecrit|veut|souhaite|pide|dice|solicita|quiere|escribe|pede|diz|quer|escreve|chiede|scrive|vuole|vraagt|zegt|schrijft|wil)\b/;

const NONE: readonly string[] = [];

/** The English verbs of orders in a folded sentence of another language. */
export function foreignOrdersIn(folded: string): readonly string[] {
  const plain = plainOf(folded);
  if (!ANY.test(plain)) return NONE;
  const verbs: string[] = [];
  for (const [, verb = ''] of matchesOf(ORDER, plain)) verbs.push(...englishOf(verb));
  verbs.push(...englishOf(LAST_VERB.exec(plain)?.[1] ?? ''));
  return verbs;
}

/** The English verbs of what a user says in another language, wherever they stand. */
export function foreignVerbsOf(words: readonly string[]): readonly string[] {
  return words.flatMap((word) => englishOf(plainOf(word)));
}

/** Whether the user hands on somebody's word in another language. */
export function handsOnAbroad(folded: string): boolean {
  return HANDS_ON.test(plainOf(folded));
}

function englishOf(word: string): readonly string[] {
  return ENGLISH.get(word) ?? NONE;
}

function plainOf(folded: string): string {
  return isAscii(folded) ? folded : folded.normalize('NFKD').replace(/\p{M}/gu, '').replaceAll('ß', 'ss');
}

function tableOf(rows: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const table = new Map<string, string[]>();
  for (const row of rows) {
    const [english = '', words = ''] = row.split(': ');
    for (const word of words.split(/\s+/)) table.set(word, [...(table.get(word) ?? []), english]);
  }
  return table;
}

/**
 * Words of tools' names in other languages (Spanish, Portuguese, French, Italian, German, Dutch), without accents: tools
 * are named by whoever wrote them, and a bank's `ordre_virement` moves money all the same. Only names of tools are
 * translated; what results say is not.
 */
const ROWS: readonly string[] = [
  'get: obtener obter obtenir ottieni holen abrufen ophalen recuperer recuperar',
  'list: listar lister elenca auflisten liste lijst',
  'search: buscar chercher rechercher cerca suchen suche zoeken procurar pesquisar',
  'read: leer ler lire leggi lesen lees',
  'show: mostrar afficher mostra zeigen anzeigen toon consultar consulter',
  'send: enviar envoyer invia inviare senden versenden verstuur mandar schicken',
  'email: correo courriel posta',
  'message: mensaje mensagem nachricht messaggio bericht',
  'transfer: transferir transferencia virement virer bonifico trasferisci uberweisen uberweisung ueberweisen overmaken overboeken transferer',
  'pay: pagar payer paga bezahlen zahlen betalen zahlung pago pagamento paiement',
  'buy: comprar acheter compra acquista kaufen bestellen koop',
  'delete: eliminar borrar supprimer effacer elimina cancella loschen loeschen verwijder apagar excluir',
  'create: crear criar creer crea erstellen anlegen maak',
  'update: actualizar atualizar modifier aggiorna aktualisieren andern aendern wijzig cambiar changer',
  'invite: invitar convidar inviter invita einladen uitnodigen',
  'share: compartir compartilhar partager condividi teilen deel',
  'upload: subir televerser carica hochladen',
  'download: descargar telecharger scarica herunterladen',
  'book: reservar reserver prenota buchen boeken',
  'run: ejecutar executar executer esegui ausfuhren ausfuehren uitvoeren',
  'publish: publicar publier pubblica veroffentlichen publiceer',
  'password: contrasena senha motdepasse passwort wachtwoord',
];

const ENGLISH: ReadonlyMap<string, string> = new Map(
  ROWS.flatMap((row) => {
    const [english = '', words = ''] = row.split(': ');
    return words.split(' ').map((word): [string, string] => [word, english]);
  }),
);

/** A word of a tool's name in English, where it is one of those above; else as it is. */
export function inEnglish(word: string): string {
  const plain = word.normalize('NFKD').replace(/\p{M}/gu, '');
  return ENGLISH.get(plain) ?? word;
}

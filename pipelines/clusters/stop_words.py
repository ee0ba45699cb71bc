"""Stop words: the small words of a dozen languages, which say nothing about what a text is about."""

from __future__ import annotations

import functools

_BY_LANGUAGE = {
    "en": """
        a about above after again against all also am an and any are aren't as at be because been before being below between both
        but by can can't cannot could couldn't did didn't do does doesn't doing don't down during each either else etc ever every
        few for from further get gets got had has have having he her here hers him his how however i i'd i'll i'm i've if in into is
        isn't it it's its itself just let let's like made make many may me might more most much must my myself need no nor not now
        of off on once one only or other our ours out over own per please said same say shall she should since so some such than
        that that's the their theirs them then there these they this those though through to too under until up upon us very want
        was wasn't we well were what when where whether which while who whom whose why will with within without won't would yes yet
        you you're your yours yourself
    """,
    "de": """
        aber alle allem allen aller alles als also am an andere anderen auch auf aus bei beim bin bis bist bitte da dabei damit dann
        das dass dein deine dem den denn der deren des dessen die dies diese diesem diesen dieser dieses doch dort du durch ein eine
        einem einen einer eines er es etwas euch für gegen hab habe haben hat hatte hatten hier hin ich ihm ihn ihnen ihr ihre ihrem
        ihren ihrer im in ist ja jede jedem jeden jeder jedes jetzt kann kein keine keinen können könnte man mehr mein meine meinem
        meinen meiner mich mir mit muss müssen nach nicht nichts noch nun nur ob oder ohne schon sehr sein seine seinen seiner seit
        sich sie sind so soll sollte sondern über um und uns unser unsere unter viel vom von vor war waren warum was wenn wer werden
        wie wieder will wir wird wo worden wurde wurden würde zu zum zur zwischen
    """,
    "fr": """
        à ai ainsi alors après as au aucun aussi autre autres aux avant avec avez avoir avons c'est car ce ceci cela ces cet cette
        ceux chaque chez comme comment d'un d'une dans de des deux depuis donc dont du elle elles en encore entre est et étaient
        était été être eu faire fait il ils j'ai je l'on la le les leur leurs lui ma mais même mes moi moins mon n'est ne ni nos
        notre nous on ont ou où par parce pas peu peut plus pour pourquoi qu'il qu'elle qu'on quand que quel quelle quelles quels
        qui quoi s'il sa sans se sera ses si son sont sous sur ta te tes toi ton tous tout toute toutes très tu un une vers vos
        votre vous y
    """,
    "es": """
        a al algo algunos ante antes aquí así aunque bien cada como cómo con contra cual cuál cuando cuándo de del desde después
        donde dónde dos durante e el él ella ellas ellos en entre era eran es esa esas ese eso esos esta está están estas este esto
        estos fue fueron ha hace hacer hacia han hasta hay la las le les lo los más me mi mis mucho muy nada ni no nos nosotros
        nuestra nuestro o os otra otras otro otros para pero poco por porque pue puede pueden que qué quien quién se sea ser si sí
        sido sin sobre son su sus también tan tanto te tiene tienen todo todos tu tú tus un una unas uno unos usted y ya yo
    """,
    "it": """
        a ad agli ai al alla alle allo anche ancora aveva avere c'è che chi ci come con contro cosa così cui da dal dalla dalle dei
        del della delle dello di dopo dove due e è ed era erano essere fa fare fino fra già gli ha hai hanno ho i il in io l'ha la
        le lei li lo loro lui ma me mi mia mie miei mio molto ne negli nei nel nella nelle no noi non nostra nostro o ogni per
        perché più poi può qual quale quando quanto quella quelle quelli quello questa queste questi questo qui se sei senza si sia
        siamo sono sta su sua sue sugli sui sul sulla suo suoi te ti tra tu tua tuo tutti tutto un un'altra una uno vi voi
    """,
    "pt": """
        a à ao aos aquela aquele as às até cada com como da das de del dela dele deles depois do dos e é ela elas ele eles em entre
        era essa esse esta está estão este eu foi foram há isso isto já lhe mais mas me mesmo meu meus minha muito na não nas nem no
        nos nós nossa nosso num numa o os ou para pela pelas pelo pelos pode podem por porque qual quando que quem são se seja sem
        ser seu seus só sobre sua suas também te tem têm ter teu toda todas todo todos tu tua um uma você vocês
    """,
    "nl": """
        aan al als alle allemaal ben bij daar dan dat de der deze die dit doen door dus een en er ge geen geweest haar had heb
        hebben heeft hem het hier hij hoe hun iemand iets ik in is ja je jij jou jouw kan kunnen maar me meer men met mij mijn moet
        na naar niet niets nog nu of om omdat onder ons onze ook op over te tegen toch toen tot u uit uw van veel voor waar waarom
        wanneer want was wat we wel werd wie wij wil worden wordt zal ze zelf zich zij zijn zo zonder zou
    """,
    "sv": """
        alla allt att av blev bli där de dem den denna deras dess det detta dig din dina dit ditt du då efter ej eller en er era ett
        från för ha hade han hans har henne hennes hon hos hur här i icke in inte jag ju kan kunde man med mellan men mig min mina
        mitt mot mycket ni nu när någon något några och om oss på samma sedan sig sin sina sitt ska skulle som så till under upp ut
        utan vad var vara varför varje vem vi vid vilken vår våra över är
    """,
    "da": """
        af alle andet at blev både da de dem den denne der deres det dette dig din dog du efter eller en end er et for fra få har
        havde han hans hende her hos hun hvad hvis hvor hvorfor i ikke ind jeg jo kan kunne man mange med meget men mig min mit når
        noget nogle nu og også om op os over på sig sin skal skulle som til ud under var ved vi vil ville være været
    """,
    "pl": """
        a aby ale bardzo bez bo być był była było były bym ci co czy dla do gdy gdzie go i ich ile im inne ja jak jako je jednak
        jego jej jest jestem jeszcze jeśli już każdy kiedy kto która które którego której który których ma mam mi mnie mogę może
        można mu my na nad nam nas nawet nic nie niż o od on ona one oni oraz pan po pod przed przez przy są się tak także tam te
        tego tej ten też to tu ty tylko tym u w we więc wszystko z za ze że
    """,
    "ru": """
        а без более бы был была были было быть в вам вас ведь во вот все всё всего всех вы где да даже для до его ее её если есть
        еще ещё же за здесь и из или им их к как какая какой когда кто ли либо между меня мне много может можно мой моя мы на над
        надо наш не него нее нет ни них но ну о об однако он она они оно от очень по под почему при про с сам себя сейчас со так
        также такой там те тебя тем то того тоже той только том тот ты у уже хотя чего чем что чтобы чтоб эта эти это этого этой
        этом этот я
    """,
    "tr": """
        acaba ama ancak bana bazı belki ben beni benim bir biri birkaç biz bize bizim bu buna bunda bunu bunun çok çünkü da daha de
        değil diye en gibi göre hem hep hepsi her hiç için ile ise kadar ki kim mi mı mu mü nasıl ne neden nerede o olan olarak oldu
        olduğu olur ona onlar onu onun sana sen siz sizin şey şu tüm var ve veya ya yani yok
    """,
    "ar": """
        أن إلى إن أو أي إذا التي الذي ب بعد بين به بها تم ثم حتى حيث ذلك على عن عند في قد كان كانت كل كما كيف لا لم لن له لها ليس ما
        مع من منه منها هذا هذه هل هناك هو هي و وفي ولا وما وهو وهي يا يمكن
    """,
    "hi": """
        और इस इसके उन उनके उस एक ऐसे कर करना करने का कि की कुछ के को क्या क्यों गया जब जा जाता जो तक तो था थी थे दिया द्वारा नहीं ने
        पर बहुत भी में मैं यह या ये रहा लिए वह वे साथ से हम ही हुआ है हैं हो होता
    """,
}

FUNCTION_CHARACTERS = frozenset("的了是在和与及或而也都就我你您他她它们这那哪个吗呢吧啊之其着把被给从向对为以于请并些么怎何两几")
"""Chinese characters that build sentences rather than topics: a name does not contain them."""


@functools.cache
def stop_words() -> frozenset[str]:
    """All of them, in small letters."""
    return frozenset(word for words in _BY_LANGUAGE.values() for word in words.split())

"""The words that the stories are made of: ordinary ones in lists, made-up ones from syllables.

The order of a list's entries decides which story a seed tells, so changing a list changes the
stories (and the bundled model's recorded losses).
"""


def words(text: str, separator: str | None = None) -> tuple[str, ...]:
    """The entries of a list written as one string."""
    return tuple(text.split(separator))


# Mira is in more stories than others.
GIRLS = words(
    "Mira Mira Mira Anna Lily Nora Ella Ruby Zoe Ivy Clara Maya Hana Lucy Tess Rosa Lena Amina "
    "Freya Greta Ines Juno Kira Lola Mina Nell Olive Pia Sara Tilda Uma Vera Willa Yara Ada Bella "
    "Cora Dora Edith Fern Gwen Holly"
)
BOYS = words(
    "Ben Tom Max Leo Sam Finn Oscar Noah Hugo Jack Omar Pedro Ravi Theo Felix Milo Arlo Bruno "
    "Casper Dario Emil Farid Gus Henry Ivan Jonas Kofi Luca Mateo Nico Otto Paul Quinn Rory Silas "
    "Timo Viktor Walter Yusuf Zack"
)
CREATURES = words(
    "fox rabbit bear mouse hedgehog squirrel cat dog duck goose owl badger otter frog turtle goat "
    "penguin deer donkey beaver dragon giant robot elf"
)
HELPERS = words(
    "baker gardener fisherman shepherd miller painter teacher librarian postman tailor carpenter "
    "sailor farmer shopkeeper blacksmith musician clockmaker beekeeper doctor king"
)
WISE = words(
    "old woman|old man|owl|turtle|wizard|witch|fairy|raven|toad|gardener|snail|hermit", "|"
)
WOMEN = {"grandmother", "old woman", "witch", "fairy", "queen"}
MEN = {"grandfather", "old man", "fisherman", "postman", "wizard", "king"}

NATURES = words(
    "little kind brave clever shy cheerful quiet curious gentle young funny lazy busy patient "
    "polite stubborn dreamy careful hungry sleepy"
)
COLORS = words(
    "red blue green yellow purple orange white black golden silver pink brown gray striped spotted"
)
LOOKS = words("old tiny shiny little pretty strange heavy lovely fine painted plain dusty")
THINGS = words(
    "kite ball hat drum bell lamp boat book cup coat scarf ring key box basket blanket flute "
    "mirror whistle button doll mask spoon umbrella wagon puppet balloon lantern map necklace "
    "pillow top teapot feather shell marble purse brush fiddle bucket"
)
FOODS = words(
    "apple pie|honey cake|bowl of soup|loaf of bread|plum tart|pot of jam|pear|cheese pie|"
    "ginger cookie|pancake|berry cake|roll of butter|bunch of grapes|jug of milk|pumpkin pie|"
    "carrot|orange|egg tart",
    "|",
)

# Where something happens | the way there.
PLACES = (
    "in the forest|into the forest",
    "by the river|to the river",
    "at the market|to the market",
    "on the hill|up the hill",
    "in the garden|into the garden",
    "by the lake|to the lake",
    "at the old mill|to the old mill",
    "on the beach|down to the beach",
    "in the meadow|into the meadow",
    "under the bridge|under the bridge",
    "at the farm|to the farm",
    "in the barn|into the barn",
    "in the village square|to the village square",
    "at the harbor|down to the harbor",
    "by the well|to the well",
    "in the orchard|into the orchard",
    "in the old castle|into the old castle",
    "by the waterfall|to the waterfall",
    "at the school|to the school",
    "in the library|to the library",
    "in the valley|down into the valley",
    "by the windmill|to the windmill",
    "at the train station|to the train station",
    "near the cave|to the cave",
)
HOMES = words(
    "in a small house by the sea|in a village between two hills|"
    "on a farm at the edge of the forest|in a tall house with a blue door|"
    "in a cottage near the river|in a town with crooked streets|on an island full of birds|"
    "in a warm house under an oak tree|in a tower above the market|on a boat with white sails|"
    "in a quiet valley|in a cabin high on a mountain|in a little room over the bakery|"
    "at the end of a long road|in a house with a round window|beside a lake as clear as glass",
    "|",
)
SPOTS = words(
    "under the bed|behind the door|in the kitchen|under the table|behind the curtain|"
    "on the shelf|in the cupboard|under the stairs|in the tall grass|behind the stove|"
    "next to the gate|inside a boot|on the roof|under a pile of leaves|behind a big stone|"
    "in the wheelbarrow|in the hollow tree|under the bench|between two baskets|on top of the wall",
    "|",
)
HOBBIES = words(
    "paint|climb trees|sing in the rain|count the stars|bake bread|read by the window|"
    "skip stones|build towers|feed the birds|tell jokes|draw maps|collect leaves|"
    "dance in the kitchen|fly kites|watch the clouds|play the drum|swim in the lake|"
    "plant flowers|write letters|listen to old stories|ride the wagon down the hill|"
    "make paper boats",
    "|",
)
DAYS = words(
    "One sunny morning|One windy day|One cold morning|One quiet evening|One rainy day|"
    "One bright day|One day in spring|One warm afternoon|One foggy morning|One autumn day|"
    "On the first day of summer|One snowy morning|One day after breakfast|Early one morning|"
    "One lazy afternoon",
    "|",
)
FEARS = words(
    "the dark|thunder|deep water|high places|loud noises|the big dog next door|the old cellar|"
    "the long tunnel|strangers|the wind at night|the creaking stairs",
    "|",
)
GLAD = words("happy glad proud cheerful delighted pleased joyful merry")
SAD = words("sad worried lonely upset unhappy gloomy")
TIMES = words("day night evening morning")

ONSETS = words("b d f g h k l m n p r s t v w z br dr fl gl kr pl sn tr")
VOWELS = words("a e i o u")
CODAS = ("", "", "", "", "n", "r", "l", "m", "s", "k", "x", "p")
# Made-up words that would be ordinary or unpleasant ones are drawn again.
NOT_MADE_UP = words("he her him his she me my us so no to do go be we")
NOT_BEGINNINGS = words(
    "nig neg naz rap fuk fak sex dik kok kum pis put pus ped pen hom fag tit vag nud suk kak kun "
    "kil"
)

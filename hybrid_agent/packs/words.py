"""Word pools for names and texts. A held-out word never appears in a training episode."""

TRAIN = tuple(
    """
    account agenda album alert amber anchor answer apple april archive arrow article asset atlas
    audio august autumn badge balance banner barn basket batch beacon bell berry bill bird blank
    block board boat bonus book border bottle branch bread bridge brief bronze budget buffer build
    bundle button cabin cache camera campaign canal candle canvas carbon card cargo carpet castle
    catalog cedar cell chain chapter chart check cherry circle city claim client cloud clover coach
    coffee colony column comet comment contact copper coral corner cotton counter course cover
    cradle crane cream credit crystal customer cycle daily data debug december delta demo deploy
    desert design desk detail device diagram diary digest dinner dock domain donor draft dragon
    dream drive eagle earth echo editor elder email ember engine entry error estate event exam
    export fabric factory falcon family farm feather february fern field figure filter finance finch
    fire flag flame flight floor flower folder forecast forest form fossil fountain frame friday
    front fruit galaxy garden gate ghost giant glass globe gold grain grant grape graph grass gravel
    green group guest guide hammer harbor harvest hazel header health heron hill history hobby
    holiday honey horizon hotel house hunter idea image import inbox index input insect invoice iron
    island item ivory jacket january jazz jewel journal july june jungle kernel kettle key kitchen
    kite label ladder lake lamp language laptop lark laser laundry layer leader leaf ledger lemon
    lesson letter level lily limit linen list loader local lotus lunch machine magnet mail manual
    maple marble march margin market master match meadow media meeting melon memo menu metal metric
    mint mirror model module monday monitor moon morning motor mountain museum music nectar needle
    network nickel night north note notice november number oak object ocean october office olive
    onion opal orange orbit orchard order organ output owner packet page paint panel paper parcel
    parent parser partner path pattern payment peach pearl pencil pepper phase phone photo piano
    picture pilot pine pixel planet plant plate player plum pocket podcast point policy pond portal
    postcard potato powder prairie price print profile profit project proof proposal public purple
    puzzle quality quartz query queue quote rabbit radar radio rain ranch raven receipt recipe
    record region release remote rental report request research result review ribbon rice river road
    robin rocket roof room root rose route ruby runner safety saffron sail sales salmon salt sample
    sand saturn scale schedule school science score scout script season secret section sensor
    september series server session shadow shelf shell shift ship shop signal silver sketch sky snow
    soap solar song sound source south space spark spider spring square stable staff stage star
    state station status steel stone storage store storm story stream street student studio sugar
    summary summer sunday sunset supply survey swan switch symbol system table tablet target task
    taxi team temple tennis theme ticket tiger timber title toast token tool topic torch tower track
    trade trail train transfer travel tree trial trip tulip tunnel turtle unit update user valley
    value vector velvet vendor version video village vine violet visit voice volume voyage wagon
    wallet walnut water wave weather web wednesday weekly west whale wheat wheel willow window wine
    winter wolf wonder wood worker world yard year yellow zebra zone
    """.split()
)

HELD = tuple(
    """
    acorn airport almond antler aspen attic avocado bakery bamboo banjo beetle biscuit
    blanket blossom boulder breeze brick bucket buffalo cactus candy cannon canyon caravan
    carrot cavern cello chalk charcoal cinnamon citadel clarinet cobalt coconut compass concert
    cookie cottage coyote crayon cricket cushion cypress daisy dolphin donkey driftwood dungeon
    easel eclipse elbow elephant emerald envelope fiddle flannel flute fortress foxglove garlic
    gecko geyser ginger giraffe glacier goblet gorilla granite guitar hamlet harp hedgehog helmet
    hibiscus hollow hornet igloo indigo jaguar jasmine juniper kayak kernels kiwi koala lagoon
    lantern lavender leopard lighthouse lizard llama lobster locket lumber magnolia mammoth mango
    meteor monsoon mosaic mushroom mustard nebula nutmeg oasis octopus orchid otter oyster paddle
    palace panther papaya parrot pebble pelican penguin petal pigeon pistachio plankton prism
    pumpkin pyramid quail quiver raccoon radish raisin rhubarb saddle sapphire sequoia sparrow
    spinach squirrel starfish sycamore tambourine tangerine teapot thistle thunder topaz tornado
    trumpet tundra turnip twilight umbrella unicorn vanilla violin volcano vulture waffle walrus
    waterfall whistle wicker windmill xylophone yogurt zephyr zucchini
    """.split()
)

EXTENSIONS = ("txt", "md", "log", "csv", "json", "cfg", "dat", "conf", "ini", "yaml", "sh", "py", "html", "bak")

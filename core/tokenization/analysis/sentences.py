"""The same four sentences in many languages, for use without longer parallel texts."""

# (code of ISO 639-3, name, direction, text)
SENTENCES = (
    (
        "eng",
        "English",
        "ltr",
        "Every morning the baker opens her shop before the sun rises. The first bread is for the "
        "children who walk to school. In the evening she closes the door and reads a book. Nobody "
        "knows how many stories she has read.",
    ),
    (
        "deu",
        "German",
        "ltr",
        "Jeden Morgen öffnet die Bäckerin ihren Laden, bevor die Sonne aufgeht. Das erste Brot ist "
        "für die Kinder, die zur Schule gehen. Am Abend schließt sie die Tür und liest ein Buch. "
        "Niemand weiß, wie viele Geschichten sie gelesen hat.",
    ),
    (
        "fra",
        "French",
        "ltr",
        "Chaque matin, la boulangère ouvre sa boutique avant le lever du soleil. Le premier pain "
        "est pour les enfants qui marchent vers l'école. Le soir, elle ferme la porte et lit un "
        "livre. Personne ne sait combien d'histoires elle a lues.",
    ),
    (
        "spa",
        "Spanish",
        "ltr",
        "Cada mañana la panadera abre su tienda antes de que salga el sol. El primer pan es para "
        "los niños que caminan a la escuela. Por la noche cierra la puerta y lee un libro. Nadie "
        "sabe cuántas historias ha leído.",
    ),
    (
        "por",
        "Portuguese",
        "ltr",
        "Todas as manhãs a padeira abre a sua loja antes de o sol nascer. O primeiro pão é para as "
        "crianças que caminham para a escola. À noite ela fecha a porta e lê um livro. Ninguém "
        "sabe quantas histórias ela já leu.",
    ),
    (
        "ita",
        "Italian",
        "ltr",
        "Ogni mattina la fornaia apre il suo negozio prima che sorga il sole. Il primo pane è per "
        "i bambini che vanno a scuola. La sera chiude la porta e legge un libro. Nessuno sa quante "
        "storie abbia letto.",
    ),
    (
        "nld",
        "Dutch",
        "ltr",
        "Elke ochtend opent de bakker haar winkel voordat de zon opkomt. Het eerste brood is voor "
        "de kinderen die naar school lopen. 's Avonds sluit ze de deur en leest ze een boek. "
        "Niemand weet hoeveel verhalen ze heeft gelezen.",
    ),
    (
        "pol",
        "Polish",
        "ltr",
        "Każdego ranka piekarka otwiera swój sklep przed wschodem słońca. Pierwszy chleb jest dla "
        "dzieci, które idą do szkoły. Wieczorem zamyka drzwi i czyta książkę. Nikt nie wie, ile "
        "historii już przeczytała.",
    ),
    (
        "fin",
        "Finnish",
        "ltr",
        "Joka aamu leipuri avaa kauppansa ennen kuin aurinko nousee. Ensimmäinen leipä on "
        "lapsille, jotka kävelevät kouluun. Illalla hän sulkee oven ja lukee kirjaa. Kukaan "
        "ei tiedä, kuinka monta tarinaa hän on lukenut.",
    ),
    (
        "tur",
        "Turkish",
        "ltr",
        "Her sabah fırıncı kadın dükkânını güneş doğmadan açar. İlk ekmek okula yürüyen çocuklar "
        "içindir. Akşam kapıyı kapatır ve kitap okur. Kaç hikâye okuduğunu kimse bilmez.",
    ),
    (
        "ell",
        "Greek",
        "ltr",
        "Κάθε πρωί η φουρνάρισσα ανοίγει το μαγαζί της πριν ανατείλει ο ήλιος. Το πρώτο ψωμί είναι "
        "για τα παιδιά που πηγαίνουν στο σχολείο. Το βράδυ κλείνει την πόρτα και διαβάζει ένα "
        "βιβλίο. Κανείς δεν ξέρει πόσες ιστορίες έχει διαβάσει.",
    ),
    (
        "rus",
        "Russian",
        "ltr",
        "Каждое утро хозяйка пекарни открывает свою лавку до восхода солнца. Первый хлеб "
        "достаётся детям, которые идут в школу. Вечером она закрывает дверь и читает книгу. Никто "
        "не знает, сколько историй она прочитала.",
    ),
    (
        "ukr",
        "Ukrainian",
        "ltr",
        "Щоранку пекарка відчиняє свою крамницю до сходу сонця. Перший хліб — для дітей, які "
        "йдуть до школи. Увечері вона зачиняє двері й читає книгу. Ніхто не знає, скільки історій "
        "вона прочитала.",
    ),
    (
        "arb",
        "Arabic",
        "rtl",
        "كل صباح تفتح الخبازة دكانها قبل أن تشرق الشمس. الخبز الأول للأطفال الذين يمشون إلى "
        "المدرسة. وفي المساء تغلق الباب وتقرأ كتابا. لا أحد يعرف كم قصة قرأت.",
    ),
    (
        "heb",
        "Hebrew",
        "rtl",
        "בכל בוקר האופה פותחת את החנות שלה לפני שהשמש זורחת. הלחם הראשון הוא לילדים שהולכים לבית "
        "הספר. בערב היא סוגרת את הדלת וקוראת ספר. אף אחד לא יודע כמה סיפורים היא קראה.",
    ),
    (
        "hin",
        "Hindi",
        "ltr",
        "हर सुबह बेकरी वाली सूरज निकलने से पहले अपनी दुकान खोलती है। पहली रोटी उन बच्चों के लिए है "
        "जो पैदल स्कूल जाते हैं। शाम को वह दरवाज़ा बंद करती है और किताब पढ़ती है। कोई नहीं जानता कि उसने "
        "कितनी कहानियाँ पढ़ी हैं।",
    ),
    (
        "ben",
        "Bengali",
        "ltr",
        "প্রতিদিন সকালে সূর্য ওঠার আগে রুটিওয়ালি তার দোকান খোলে। প্রথম রুটি সেই শিশুদের জন্য যারা হেঁটে "
        "স্কুলে যায়। সন্ধ্যায় সে দরজা বন্ধ করে একটি বই পড়ে। কেউ জানে না সে কত গল্প পড়েছে।",
    ),
    (
        "tam",
        "Tamil",
        "ltr",
        "ஒவ்வொரு காலையும் சூரியன் உதிக்கும் முன் ரொட்டிக்காரி தன் கடையைத் திறக்கிறாள். முதல் ரொட்டி "
        "பள்ளிக்கு நடந்து செல்லும் குழந்தைகளுக்கு. மாலையில் அவள் கதவை மூடி ஒரு புத்தகம் படிக்கிறாள். அவள் "
        "எத்தனை கதைகள் படித்திருக்கிறாள் என்று யாருக்கும் தெரியாது.",
    ),
    (
        "tha",
        "Thai",
        "ltr",
        "ทุกเช้าคนทำขนมปังเปิดร้านของเธอก่อนพระอาทิตย์ขึ้น ขนมปังก้อนแรกเป็นของเด็กที่เดินไปโรงเรียน "
        "ตอนเย็นเธอปิดประตูและอ่านหนังสือ ไม่มีใครรู้ว่าเธออ่านเรื่องไปแล้วกี่เรื่อง",
    ),
    (
        "cmn",
        "Chinese",
        "ltr",
        "每天早上，面包师在太阳升起之前打开她的店门。第一个面包是给走路上学的孩子们的。晚上她关上门，读一本书。"
        "没有人知道她读过多少故事。",
    ),
    (
        "jpn",
        "Japanese",
        "ltr",
        "毎朝、パン屋の女性は日が昇る前に店を開けます。最初のパンは、歩いて学校へ行く子どもたちのためのものです。"
        "夕方になると、彼女は戸を閉めて本を読みます。彼女がいくつの物語を読んだのか、誰も知りません。",
    ),
    (
        "kor",
        "Korean",
        "ltr",
        "매일 아침 빵집 주인은 해가 뜨기 전에 가게 문을 연다. 첫 번째 빵은 걸어서 학교에 "
        "가는 아이들의 것이다. 저녁이면 그녀는 문을 닫고 책을 읽는다. 그녀가 얼마나 많은 "
        "이야기를 읽었는지 아무도 모른다.",
    ),
    (
        "vie",
        "Vietnamese",
        "ltr",
        "Mỗi buổi sáng, cô thợ làm bánh mở cửa hàng trước khi mặt trời mọc. Chiếc bánh mì đầu tiên "
        "dành cho những đứa trẻ đi bộ đến trường. Buổi tối cô đóng cửa và đọc một cuốn sách. Không "
        "ai biết cô đã đọc bao nhiêu câu chuyện.",
    ),
    (
        "ind",
        "Indonesian",
        "ltr",
        "Setiap pagi tukang roti itu membuka tokonya sebelum matahari terbit. Roti pertama adalah "
        "untuk anak-anak yang berjalan kaki ke sekolah. Pada malam hari ia menutup pintu dan "
        "membaca buku. Tidak ada yang tahu berapa banyak cerita yang telah ia baca.",
    ),
    (
        "swh",
        "Swahili",
        "ltr",
        "Kila asubuhi mwokaji hufungua duka lake kabla ya jua kuchomoza. Mkate wa kwanza ni wa "
        "watoto wanaotembea kwenda shuleni. Jioni hufunga mlango na kusoma kitabu. Hakuna ajuaye "
        "amesoma hadithi ngapi.",
    ),
)

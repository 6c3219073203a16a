from ocr.sandbox.zygote import main

main()
